"""The two counters that number events, and the channels that a contact listens on.

The counters are narrow tables of their own that nothing references, so that their row locks block
only other writers of the same stream, never a foreign key check.
"""

from django.db import models


class ContactStream(models.Model):
    """Numbers the events that a contact's visitors see: 1, 2, 3 without a gap.

    Its row lock is the first one of every transaction that writes a conversation
    (docs/architecture.md, "Lock order").
    """

    contact_id = models.BigIntegerField(primary_key=True)
    stream_seq = models.BigIntegerField(default=0)


class OrganizationStream(models.Model):
    """Numbers the events of an organization's agents: 1, 2, 3 without a gap. Locked last."""

    organization_id = models.BigIntegerField(primary_key=True)
    seq = models.BigIntegerField(default=0)


class VisitorChannel(models.Model):
    """A browser's channel `visitor:{visitor_id}`, and the contact whose stream it carries."""

    visitor_id = models.CharField(max_length=40, primary_key=True)
    contact_id = models.BigIntegerField(db_index=True)
    organization_id = models.BigIntegerField()
    revoked_at = models.DateTimeField(null=True)
    """Realtime tokens issued up to this moment are refused."""
