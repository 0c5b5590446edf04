"""An agent's message or note: by the lean intake, and by the rows where there is more to it."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from project.errors import NotFound
from realtime.events import Event
from realtime.events.shapes import LastMessage, MessageShape, RowChange
from realtime.publish import publish
from webchat.intake import portable, postgres
from webchat.intake.draft import ReplyDraft, preview_of
from webchat.models import Conversation, ConversationStatus, Message, SenderType
from webchat.principal import Agent
from webchat.queries import conversation as conversations
from webchat.queries import message as messages
from webchat.services.locking import lock_conversation
from webchat.services.message.content import NothingStored, check_content, find_first
from webchat.services.message.events import message_created
from webchat.services.reopening import reopen_locked
from webchat.services.routing import about


@dataclass(frozen=True, slots=True)
class AgentSent:
    """The stored message, and whether this call was a repetition of the one that stored it."""

    message: MessageShape
    deduped: bool


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
    # The conversation is in the key: the same client id elsewhere is another message.
    sender = f"u{agent.user_id}c{conversation_id}"
    external_id = f"{sender}:{client_message_id}" if client_message_id else None
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
        first = find_first(agent.organization_id, external_id)
        if first is not None:
            return AgentSent(messages.to_shape(first), deduped=True)
        if parent_message_id is not None:
            _check_agent_parent(conversation, parent_message_id, is_public=is_public)
        events: list[Event] = []
        if is_public and conversation.status == ConversationStatus.CLOSED:
            events.append(reopen_locked(conversation, agent, now))
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
        routing = about(conversation, at=now)
        publish(*events, message_created(routing, shape, change, sender_id=agent.user_id))
    return AgentSent(shape, deduped=False)


def _reply(agent: Agent, draft: ReplyDraft, client_message_id: str | None) -> AgentSent | None:
    """A first reply to an open conversation, which nearly all are. None: nothing was stored."""
    store = postgres.store_reply if connection.vendor == "postgresql" else portable.store_reply
    try:
        with transaction.atomic():
            stored = store(draft)
            if stored is None:
                raise NothingStored
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
            routing = {
                "at": draft.now,
                "organization_id": draft.organization_id,
                "site_id": stored.site_id,
                "conversation_id": draft.conversation_id,
                "contact_id": stored.contact_id,
            }
            publish(message_created(routing, shape, change, sender_id=agent.user_id))
    except NothingStored:
        return None
    return AgentSent(shape, deduped=False)


def _check_agent_parent(conversation: Conversation, parent_id: int, *, is_public: bool) -> None:
    rows = conversation.messages.filter(pk=parent_id)
    if is_public:
        rows = rows.filter(is_public=True)
    if not rows.exists():
        raise NotFound(field="parent_message_id")


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
