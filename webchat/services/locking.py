"""The lock order of every path that writes a conversation (docs/architecture.md).

Contacts' counters in sorted order, the conversation, its messages, the organization's counter last
(by `publish`).
"""

from django.db import IntegrityError, transaction

from project.errors import NotFound
from realtime import streams
from webchat.models import Conversation, ConversationStatus
from webchat.principal import Agent
from webchat.queries import conversation as conversations
from webchat.services.errors import ConversationSuperseded


def lock_conversation(agent: Agent, conversation_id: int) -> Conversation:
    """Lock a conversation that the agent may see, with what `to_row` needs. Raises NotFound."""
    contact_id = (
        conversations.visible_to(agent)
        .filter(pk=conversation_id)
        .values_list("contact_id", flat=True)
        .first()
    )
    if contact_id is None:
        raise NotFound
    streams.lock_contacts([contact_id])
    rows = conversations.with_people(Conversation.objects.filter(pk=conversation_id))
    return rows.select_for_update(no_key=True, of=("self",)).get()


def reopen_locked(conversation: Conversation) -> None:
    """Open a locked, closed conversation again.

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
