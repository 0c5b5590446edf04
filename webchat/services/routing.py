"""Where an event about a conversation goes."""

from datetime import datetime
from typing import Any

from webchat.models import Conversation


def about(conversation: Conversation, *, at: datetime) -> dict[str, Any]:
    """The routing fields of `realtime.events.base.Event`."""
    return {
        "at": at,
        "organization_id": conversation.organization_id,
        "site_id": conversation.site_id,
        "conversation_id": conversation.pk,
        "contact_id": conversation.contact_id,
    }
