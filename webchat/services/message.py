"""Writing messages: through the lean intake, and by the rows where there is more to one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from project.errors import NotFound
from realtime.events import ConversationReopened, ConversationStarted, Event, MessageCreated
from realtime.events.conversation import (
    ConversationReopenedData,
    ConversationStartedData,
    EngagementReopened,
)
from realtime.events.message import MessageCreatedData, MessageNew
from realtime.events.shapes import LastMessage, MessageShape, RowChange, SenderShape
from realtime.publish import publish
from webchat.intake import portable, postgres
from webchat.intake.draft import ReplyDraft, Stored, VisitorDraft, preview_of
from webchat.models import Conversation, ConversationStatus, Message, SenderType
from webchat.models.conversation import new_public_id
from webchat.principal import Agent, VisitorAccess
from webchat.queries import conversation as conversations
from webchat.queries import message as messages
from webchat.services.errors import ContentTooLong, EmptyContent, EngagementForbidden
from webchat.services.locking import lock_conversation, reopen_locked
from webchat.services.routing import about

MAX_LENGTH = 10_000


@dataclass(frozen=True, slots=True)
class Sent:
    """`event_id` is None for a repetition, of which nothing was published."""

    message_id: int
    conversation_id: int
    created_at: datetime
    deduped: bool
    event_id: UUID | None


@dataclass(frozen=True, slots=True)
class AgentSent:
    """The stored message, and whether this call was a repetition of the one that stored it."""

    message: MessageShape
    deduped: bool


class _NothingStored(Exception):
    pass


def send_visitor_message(
    *,
    visitor: VisitorAccess,
    content: str,
    engagement_id: int = 0,
    client_message_id: str | None = None,
    parent_message_id: int | None = None,
    metadata: dict[str, Any] | None = None,
    now: datetime,
) -> Sent:
    """Store a visitor's message in their open conversation, opening one where there is none.

    Lengths count code points. The same `client_message_id` again gives the first answer with
    `deduped`. Raises EmptyContent, ContentTooLong, NotFound (parent) and EngagementForbidden.
    Locks the contact's counter, then the organization's.
    """
    check_content(content)
    external_id = f"v{visitor.visitor_pk}:{client_message_id}" if client_message_id else None
    draft = VisitorDraft(
        organization_id=visitor.organization_id,
        site_id=visitor.site_id,
        contact_id=visitor.contact_id,
        engagement_id=engagement_id,
        public_id=new_public_id(),
        content=content,
        parent_id=parent_message_id,
        external_id=external_id,
        metadata=metadata or {},
        now=now,
    )
    store = postgres.store if connection.vendor == "postgresql" else portable.store
    try:
        with transaction.atomic():
            if parent_message_id is not None:
                _check_visitor_parent(visitor, parent_message_id)
            stored = store(draft)
            if stored is None:
                raise _NothingStored
            created = _visitor_message_created(visitor, draft, stored, client_message_id)
            started = [_conversation_started(draft, stored)] if stored.started else []
            publish(*started, created)
    except _NothingStored:
        return _first_answer(draft)
    return Sent(
        stored.message_id, stored.conversation_id, now, deduped=False, event_id=created.event_id
    )


def send_agent_message(
    *,
    agent: Agent,
    conversation_id: int,
    content: str,
    client_message_id: str | None = None,
    is_public: bool = True,
    parent_message_id: int | None = None,
    now: datetime,
) -> AgentSent:
    """Store an agent's message or, with `is_public` false, a private note.

    A message to a closed conversation reopens it; a note does not. A public message counts as
    having read what came before. Raises EmptyContent, ContentTooLong, NotFound and
    ConversationSuperseded. Locks the contact's counter, the conversation, the organization's.
    """
    check_content(content)
    external_id = f"u{agent.user_id}:{client_message_id}" if client_message_id else None
    if is_public and parent_message_id is None:
        draft = ReplyDraft(
            organization_id=agent.organization_id,
            site_ids=agent.site_ids,
            conversation_id=conversation_id,
            sender_user_id=agent.user_id,
            content=content,
            external_id=external_id,
            now=now,
        )
        replied = _reply(agent, draft, client_message_id)
        if replied is not None:
            return replied
    with transaction.atomic():
        conversation = lock_conversation(agent, conversation_id)
        first = _find_first(agent.organization_id, external_id)
        if first is not None:
            return AgentSent(messages.to_shape(first), deduped=True)
        if parent_message_id is not None:
            _check_agent_parent(conversation, parent_message_id, is_public=is_public)
        events: list[Event] = []
        if is_public and conversation.status == ConversationStatus.CLOSED:
            reopen_locked(conversation)
            events.append(reopened_event(conversation, agent, now))
        message = Message.objects.create(
            organization_id=agent.organization_id,
            conversation=conversation,
            content=content,
            sender_type=SenderType.USER,
            sender_user_id=agent.user_id,
            is_public=is_public,
            parent_id=parent_message_id,
            external_id=external_id,
            created_at=now,
        )
        change = _take_note_of(conversation, message)
        shape = _agent_message_shape(
            agent,
            message_id=message.pk,
            content=content,
            is_public=is_public,
            parent_message_id=parent_message_id,
            client_message_id=client_message_id,
            now=now,
        )
        publish(*events, _agent_message_created(about(conversation, at=now), shape, change))
    return AgentSent(shape, deduped=False)


def _reply(agent: Agent, draft: ReplyDraft, client_message_id: str | None) -> AgentSent | None:
    """A first reply to an open conversation, which nearly all are. None: nothing was stored."""
    store = postgres.store_reply if connection.vendor == "postgresql" else portable.store_reply
    try:
        with transaction.atomic():
            stored = store(draft)
            if stored is None:
                raise _NothingStored
            shape = _agent_message_shape(
                agent,
                message_id=stored.message_id,
                content=draft.content,
                client_message_id=client_message_id,
                now=draft.now,
            )
            change = RowChange(
                id=draft.conversation_id,
                unread_count=0,
                last_message=LastMessage(
                    preview=draft.preview, sender_type="USER", created_at=draft.now
                ),
                last_activity_at=draft.now,
            )
            place = {
                "at": draft.now,
                "organization_id": draft.organization_id,
                "site_id": stored.site_id,
                "conversation_id": draft.conversation_id,
                "contact_id": stored.contact_id,
            }
            publish(_agent_message_created(place, shape, change))
    except _NothingStored:
        return None
    return AgentSent(shape, deduped=False)


def check_content(content: str) -> None:
    """Raises EmptyContent or ContentTooLong."""
    if not content.strip():
        raise EmptyContent
    if len(content) > MAX_LENGTH:
        raise ContentTooLong(limit=MAX_LENGTH, length=len(content))


def reopened_event(conversation: Conversation, agent: Agent, now: datetime) -> ConversationReopened:
    """For a conversation that has just been reopened under its lock."""
    return ConversationReopened(
        **about(conversation, at=now),
        data=ConversationReopenedData(
            by=agent.user_id, row=RowChange(id=conversation.pk, status="open")
        ),
        visitor=EngagementReopened(engagement_id=conversation.pk),
    )


def _first_answer(draft: VisitorDraft) -> Sent:
    first = _find_first(draft.organization_id, draft.external_id)
    if first is None:
        raise EngagementForbidden
    return Sent(first.pk, first.conversation_id, first.created_at, deduped=True, event_id=None)


def _find_first(organization_id: int, external_id: str | None) -> Message | None:
    if external_id is None:
        return None
    rows = Message.objects.filter(organization_id=organization_id, external_id=external_id)
    return messages.with_senders(rows).first()


def _check_visitor_parent(visitor: VisitorAccess, parent_id: int) -> None:
    rows = Message.objects.filter(
        pk=parent_id,
        is_public=True,
        conversation__contact_id=visitor.contact_id,
        conversation__site_id=visitor.site_id,
    )
    if not rows.exists():
        raise NotFound(field="parent_message_id")


def _check_agent_parent(conversation: Conversation, parent_id: int, *, is_public: bool) -> None:
    rows = conversation.messages.filter(pk=parent_id)
    if is_public:
        rows = rows.filter(is_public=True)
    if not rows.exists():
        raise NotFound(field="parent_message_id")


def _conversation_started(draft: VisitorDraft, stored: Stored) -> ConversationStarted:
    row = conversations.with_people(Conversation.objects.filter(pk=stored.conversation_id)).get()
    return ConversationStarted(
        at=draft.now,
        organization_id=draft.organization_id,
        site_id=draft.site_id,
        conversation_id=stored.conversation_id,
        contact_id=draft.contact_id,
        data=ConversationStartedData(row=conversations.to_row(row)),
    )


def _visitor_message_created(
    visitor: VisitorAccess, draft: VisitorDraft, stored: Stored, client_message_id: str | None
) -> MessageCreated:
    shape = MessageShape(
        id=stored.message_id,
        content=draft.content,
        message_type="TEXT",
        sender_type="CONTACT",
        sender_user_id=None,
        sender_name=visitor.contact_name,
        direction="INBOUND",
        created_at=draft.now,
        is_public=True,
        parent_message_id=draft.parent_id,
        client_message_id=client_message_id,
        attachments=[],
        reactions=[],
        metadata=draft.metadata,
    )
    change = RowChange(
        id=stored.conversation_id,
        unread_count=stored.unread_count,
        last_message=LastMessage(
            preview=draft.preview, sender_type="CONTACT", created_at=draft.now
        ),
        last_activity_at=draft.now,
    )
    return MessageCreated(
        at=draft.now,
        organization_id=draft.organization_id,
        site_id=draft.site_id,
        conversation_id=stored.conversation_id,
        contact_id=draft.contact_id,
        data=_with_row(shape, change),
        visitor=_message_new(shape, sender_id=draft.contact_id),
    )


def _agent_message_created(
    place: dict[str, Any], shape: MessageShape, change: RowChange
) -> MessageCreated:
    sender_id = shape.sender_user_id or 0
    return MessageCreated(
        **place,
        data=_with_row(shape, change),
        visitor=_message_new(shape, sender_id=sender_id) if shape.is_public else None,
    )


def _agent_message_shape(
    agent: Agent,
    *,
    message_id: int,
    content: str,
    is_public: bool = True,
    parent_message_id: int | None = None,
    client_message_id: str | None,
    now: datetime,
) -> MessageShape:
    return MessageShape(
        id=message_id,
        content=content,
        message_type="TEXT",
        sender_type="USER",
        sender_user_id=agent.user_id,
        sender_name=agent.name,
        direction="OUTBOUND",
        created_at=now,
        is_public=is_public,
        parent_message_id=parent_message_id,
        client_message_id=client_message_id,
        attachments=[],
        reactions=[],
        metadata={},
    )


def _take_note_of(conversation: Conversation, message: Message) -> RowChange:
    """Bring the list row up to date with an agent's message; returns what changed in it."""
    conversation.last_activity_at = message.created_at
    changed = ["last_activity_at"]
    if message.is_public:
        conversation.unread_count = 0
        conversation.agents_read_up_to = message.pk
        conversation.last_message_preview = preview_of(message.content)
        conversation.last_message_sender = message.sender_type
        conversation.last_message_at = message.created_at
        changed += [
            "unread_count",
            "agents_read_up_to",
            "last_message_preview",
            "last_message_sender",
            "last_message_at",
        ]
    conversation.save(update_fields=changed)
    if not message.is_public:
        return RowChange(id=conversation.pk, last_activity_at=message.created_at)
    return RowChange(
        id=conversation.pk,
        unread_count=0,
        last_message=conversations.last_message_of(conversation),
        last_activity_at=message.created_at,
    )


def _with_row(shape: MessageShape, change: RowChange) -> MessageCreatedData:
    return MessageCreatedData(**dict(shape), row=change)


def _message_new(shape: MessageShape, *, sender_id: int) -> MessageNew:
    return MessageNew(
        message_id=shape.id,
        id=shape.id,
        content=shape.content,
        content_type=shape.message_type,
        sender=SenderShape(type=shape.sender_type, id=sender_id, name=shape.sender_name),
        created_at=shape.created_at,
        parent_message_id=shape.parent_message_id,
        client_message_id=shape.client_message_id,
        attachments=shape.attachments,
        metadata=shape.metadata,
    )
