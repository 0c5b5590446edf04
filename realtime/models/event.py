"""The event log: what was published, until it is delivered and while clients may resume."""

from django.db import models
from django.db.models import Q


class StoredEvent(models.Model):
    """One durable event, its payloads frozen as the JSON text that readers get.

    Inserted by `realtime.publish` in the transaction that it tells of, then never changed but for
    the two pending marks. `stream_seq` and `visitor_payload` are null where no visitor sees it.
    """

    event_id = models.UUIDField()
    type = models.CharField(max_length=40)
    organization_id = models.BigIntegerField()
    seq = models.BigIntegerField()
    site_id = models.BigIntegerField(null=True)
    conversation_id = models.BigIntegerField(null=True)
    agent_payload = models.TextField()
    contact_id = models.BigIntegerField(null=True)
    stream_seq = models.BigIntegerField(null=True)
    visitor_type = models.CharField(max_length=40, null=True)  # noqa: DJ001 absent, not empty
    visitor_payload = models.TextField(null=True)  # noqa: DJ001 absent, not empty
    created_at = models.DateTimeField()
    agents_pending = models.BooleanField()
    visitor_pending = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "seq"], name="event_organization_seq"
            ),
            models.UniqueConstraint(
                fields=["contact_id", "stream_seq"],
                name="event_contact_stream_seq",
                condition=Q(stream_seq__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["conversation_id", "seq"], name="event_conversation_seq"),
            models.Index(
                fields=["contact_id", "stream_seq"],
                name="event_visitor_pending",
                condition=Q(visitor_pending=True),
            ),
            models.Index(
                fields=["organization_id", "seq"],
                name="event_agents_pending",
                condition=Q(agents_pending=True),
            ),
        ]
