"""Messages as agents and visitors see them."""

from dataclasses import dataclass
from typing import cast

from django.db.models import QuerySet

from realtime.events.shapes import Direction, MessageShape, SenderTypeName
from webchat.models import Message, SenderType
from webchat.principal import Agent, VisitorAccess
from webchat.queries import conversation
from webchat.queries.conversation import Position

PAGE = 50


@dataclass(frozen=True, slots=True)
class History:
    """`messages` oldest first; `has_more` tells whether there are older ones."""

    messages: list[MessageShape]
    has_more: bool


@dataclass(frozen=True, slots=True)
class HistorySnapshot:
    history: History
    position: Position


def get_history(
    agent: Agent, conversation_id: int, *, before: int | None = None, limit: int = PAGE
) -> HistorySnapshot:
    """`list_for_agent` with its place in the stream. Raises NotFound."""
    position = conversation.get_position(agent.organization_id)
    return HistorySnapshot(
        list_for_agent(agent, conversation_id, before=before, limit=limit), position
    )


def list_for_agent(
    agent: Agent, conversation_id: int, *, before: int | None = None, limit: int = PAGE
) -> History:
    """A conversation's messages and notes below the id `before`. Raises NotFound."""
    conversation.get_visible(agent, conversation_id)
    return _history(Message.objects.filter(conversation_id=conversation_id), before, limit)


def list_for_visitor(
    visitor: VisitorAccess, *, before: int | None = None, limit: int = PAGE
) -> History:
    """The contact's public messages on the site, over all conversations; never a note."""
    rows = Message.objects.filter(
        conversation__contact_id=visitor.contact_id,
        conversation__site_id=visitor.site_id,
        is_public=True,
    )
    return _history(rows, before, limit)


def to_shape(message: Message) -> MessageShape:
    """Needs `sender_user` and, for a visitor's message, `conversation__contact` at hand."""
    return MessageShape(
        id=message.pk,
        content=message.content,
        message_type="TEXT",
        sender_type=cast("SenderTypeName", message.sender_type),
        sender_user_id=message.sender_user_id,
        sender_name=_sender_name(message),
        direction=direction_of(message.sender_type),
        created_at=message.created_at,
        is_public=message.is_public,
        parent_message_id=message.parent_id,
        client_message_id=message.client_message_id,
        attachments=[],
        reactions=[],
        metadata=message.metadata,
    )


def direction_of(sender_type: str) -> Direction:
    """Seen from the organization, as the guide has it."""
    return "INBOUND" if sender_type == SenderType.CONTACT else "OUTBOUND"


def with_senders(rows: QuerySet[Message]) -> QuerySet[Message]:
    """What `to_shape` needs, in the same query."""
    return rows.select_related("sender_user", "conversation__contact")


def _history(rows: QuerySet[Message], before: int | None, limit: int) -> History:
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(with_senders(rows).order_by("-pk")[: limit + 1])
    newest = found[:limit]
    return History([to_shape(message) for message in reversed(newest)], len(found) > limit)


def _sender_name(message: Message) -> str | None:
    if message.sender_type == SenderType.CONTACT:
        return message.conversation.contact.name or None
    return str(message.sender_user) if message.sender_user else None
