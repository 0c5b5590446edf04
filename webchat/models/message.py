"""Messages and private notes."""

from django.db import models
from django.db.models import Q


class MessageType(models.TextChoices):
    TEXT = "TEXT"


class SenderType(models.TextChoices):
    CONTACT = "CONTACT"
    USER = "USER"
    BOT = "BOT"
    SYSTEM = "SYSTEM"


class Message(models.Model):
    """Within a contact, ids rise in the order of the stream: they are drawn under its lock.

    `external_id` makes a send idempotent: the sender's `client_message_id` behind a prefix that
    names the sender, so that nobody can collide with, or probe, another's.
    """

    organization = models.ForeignKey("webchat.Organization", models.CASCADE, db_index=False)
    conversation = models.ForeignKey(
        "webchat.Conversation", models.CASCADE, related_name="messages", db_index=False
    )
    content = models.TextField()
    message_type = models.CharField(max_length=16, choices=MessageType, default=MessageType.TEXT)
    sender_type = models.CharField(max_length=16, choices=SenderType)
    sender_user = models.ForeignKey("webchat.User", models.SET_NULL, null=True, db_index=False)
    is_public = models.BooleanField(default=True)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+", db_index=False)
    external_id = models.CharField(max_length=260, null=True)  # noqa: DJ001 null is "none given"
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "external_id"],
                condition=Q(external_id__isnull=False),
                name="message_external_id",
            )
        ]
        indexes = [models.Index(fields=["conversation", "-id"], name="message_history")]

    @property
    def client_message_id(self) -> str | None:
        return self.external_id.partition(":")[2] if self.external_id else None
