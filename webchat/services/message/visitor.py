"""A visitor's message, by the lean intake."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from project.errors import NotFound
from realtime.events import ConversationStarted, MessageCreated
from realtime.events.conversation import ConversationStartedData
from realtime.events.shapes import LastMessage, MessageShape, RowChange
from realtime.publish import publish
from webchat.intake import portable, postgres
from webchat.intake.draft import Stored, VisitorDraft
from webchat.models import Conversation, Message
from webchat.models.conversation import new_public_id
from webchat.principal import VisitorAccess
from webchat.queries import conversation as conversations
from webchat.services.errors import EngagementForbidden
from webchat.services.message.content import NothingStored, check_content, find_first
from webchat.services.message.events import message_created


@dataclass(frozen=True, slots=True)
class Sent:
    """`event_id` is None for a repetition, of which nothing was published."""

    message_id: int
    conversation_id: int
    created_at: datetime
    deduped: bool
    event_id: UUID | None


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
                raise NothingStored
            created = _message_created(visitor, draft, stored, client_message_id)
            started = [_conversation_started(draft, stored)] if stored.started else []
            publish(*started, created)
    except NothingStored:
        return _first_answer(draft)
    return Sent(
        stored.message_id, stored.conversation_id, now, deduped=False, event_id=created.event_id
    )


def _first_answer(draft: VisitorDraft) -> Sent:
    first = find_first(draft.organization_id, draft.external_id)
    if first is None:
        raise EngagementForbidden
    return Sent(first.pk, first.conversation_id, first.created_at, deduped=True, event_id=None)


def _check_visitor_parent(visitor: VisitorAccess, parent_id: int) -> None:
    rows = Message.objects.filter(
        pk=parent_id,
        is_public=True,
        conversation__contact_id=visitor.contact_id,
        conversation__site_id=visitor.site_id,
    )
    if not rows.exists():
        raise NotFound(field="parent_message_id")


def _routing(draft: VisitorDraft, stored: Stored) -> dict[str, Any]:
    return {
        "at": draft.now,
        "organization_id": draft.organization_id,
        "site_id": draft.site_id,
        "conversation_id": stored.conversation_id,
        "contact_id": draft.contact_id,
    }


def _conversation_started(draft: VisitorDraft, stored: Stored) -> ConversationStarted:
    row = conversations.with_people(Conversation.objects.filter(pk=stored.conversation_id)).get()
    return ConversationStarted(
        **_routing(draft, stored),
        data=ConversationStartedData(row=conversations.to_row(row)),
    )


def _message_created(
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
    return message_created(_routing(draft, stored), shape, change, sender_id=draft.contact_id)
