"""A conversation between a contact and a site's agents (`engagement` on the widget's wire)."""

import secrets

from django.db import models
from django.db.models import Q


class ConversationStatus(models.TextChoices):
    OPEN = "open"
    CLOSED = "closed"


def new_public_id() -> str:
    return f"cv_{secrets.token_hex(10)}"


class Conversation(models.Model):
    """Everything that an agent's list shows is in this row, so that a list is one query.

    `unread_count` counts the visitor's messages above `agents_read_up_to`, a message id.
    """

    public_id = models.CharField(max_length=23, unique=True, default=new_public_id)
    # Each message updates this row: an index that another one covers would only cost.
    organization = models.ForeignKey("webchat.Organization", models.CASCADE, db_index=False)
    site = models.ForeignKey("webchat.Site", models.CASCADE, db_index=False)
    contact = models.ForeignKey("webchat.Contact", models.CASCADE, related_name="conversations")
    status = models.CharField(
        max_length=16, choices=ConversationStatus, default=ConversationStatus.OPEN
    )
    assignee = models.ForeignKey(
        "webchat.User", models.SET_NULL, null=True, related_name="+", db_index=False
    )
    team = models.ForeignKey(
        "webchat.Team", models.SET_NULL, null=True, related_name="+", db_index=False
    )
    unread_count = models.PositiveIntegerField(default=0)
    agents_read_up_to = models.BigIntegerField(default=0)
    visitor_read_up_to = models.BigIntegerField(default=0)
    visitor_delivered_up_to = models.BigIntegerField(default=0, db_default=0)
    last_message_preview = models.CharField(max_length=160, blank=True)
    last_message_sender = models.CharField(max_length=16, blank=True)
    last_message_at = models.DateTimeField(null=True)
    last_activity_at = models.DateTimeField()
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "site"],
                condition=~Q(status=ConversationStatus.CLOSED),
                name="one_open_conversation",
            )
        ]
        indexes = [
            models.Index(
                fields=["organization", "status", "-last_activity_at", "-id"],
                name="conversation_list",
            ),
            models.Index(
                fields=["assignee", "status", "-last_activity_at", "-id"],
                condition=Q(assignee__isnull=False),
                name="conversation_assignee",
            ),
        ]
