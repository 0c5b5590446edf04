"""Presence is a lease that the processes holding a connection renew, never a counter.

A row exists while somebody is present. A process that dies renews nothing, so its people leave by
themselves when the grace is over; a reconnect within the grace is no event at all.
"""

from django.db import models


class VisitorPresence(models.Model):
    contact_id = models.BigIntegerField(primary_key=True)
    organization_id = models.BigIntegerField()
    seen_at = models.DateTimeField(db_index=True)


class AgentPresence(models.Model):
    organization_id = models.BigIntegerField()
    agent_id = models.BigIntegerField()
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "agent_id"], name="one_presence_per_agent"
            )
        ]
