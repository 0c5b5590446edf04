"""Opening a closed conversation again, by command or because an agent writes to it."""

from datetime import datetime

from django.db import IntegrityError, transaction

from realtime.events import ConversationReopened
from realtime.events.conversation import ConversationReopenedData, EngagementReopened
from webchat.models import Conversation, ConversationStatus
from webchat.principal import Agent
from webchat.queries import conversation as conversations
from webchat.services.errors import ConversationSuperseded
from webchat.services.routing import about


def reopen_locked(conversation: Conversation, agent: Agent, now: datetime) -> ConversationReopened:
    """Reopen a locked, closed conversation; the caller publishes the event.

    Raises ConversationSuperseded where the contact has another open one on the site: the partial
    unique index decides, so a race cannot make two.
    """
    conversation.status = ConversationStatus.OPEN
    conversation.closed_at = None
    conversation.close_reason = ""
    try:
        with transaction.atomic():
            conversation.save(update_fields=["status", "closed_at", "close_reason"])
    except IntegrityError:
        other = Conversation.objects.exclude(status=ConversationStatus.CLOSED).get(
            contact_id=conversation.contact_id, site_id=conversation.site_id
        )
        raise ConversationSuperseded(conversation_id=other.pk) from None
    return ConversationReopened(
        **about(conversation, at=now),
        data=ConversationReopenedData(by=agent.user_id, row=conversations.to_row(conversation)),
        visitor=EngagementReopened(
            engagement_id=conversation.pk, agent=conversations.assignee_of(conversation)
        ),
    )
