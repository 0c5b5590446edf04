"""The planned history as rows: a few bulk inserts, consistent with what the services would write.

No event is stored for it. The streams start at zero, so that the first thing that really happens
is number 1 of each.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from uuid import uuid4

from realtime import streams
from webchat.demo.plan import Chat, Customer, Line
from webchat.intake.draft import preview_of
from webchat.models import (
    Contact,
    Conversation,
    ConversationStatus,
    Message,
    SenderType,
    Site,
    Team,
    User,
    Visitor,
    VisitorSession,
)

SESSION_LENGTH = timedelta(hours=24)
SESSION_BEFORE_CHAT = timedelta(seconds=45)


def write_history(
    site: Site, chats: Sequence[Chat], *, users: Mapping[str, User], teams: Mapping[str, Team]
) -> None:
    """Insert the chats, oldest first, in the caller's transaction; `users` go by people's names."""
    visitors = _write_visitors(site, chats)
    VisitorSession.objects.bulk_create(
        _session(site, chat, visitors[id(chat.customer)]) for chat in chats
    )
    conversations = Conversation.objects.bulk_create(
        _conversation(site, chat, visitors[id(chat.customer)].contact, users, teams)
        for chat in chats
    )
    messages = _write_messages(zip(chats, conversations, strict=True), users)
    for chat, conversation, own in zip(chats, conversations, messages, strict=True):
        _set_marks(chat, conversation, own)
    Conversation.objects.bulk_update(conversations, ["agents_read_up_to", "visitor_read_up_to"])


def _write_visitors(site: Site, chats: Iterable[Chat]) -> dict[int, Visitor]:
    """One browser for each customer, by the identity of the planned customer."""
    first_chats: dict[int, Chat] = {}
    for chat in chats:
        first_chats.setdefault(id(chat.customer), chat)
    contacts = Contact.objects.bulk_create(
        _contact(site, chat.customer, chat) for chat in first_chats.values()
    )
    visitors = Visitor.objects.bulk_create(
        Visitor(
            organization_id=site.organization_id,
            contact=contact,
            visitor_id=f"v-{uuid4()}",
            created_at=contact.created_at,
        )
        for contact in contacts
    )
    for visitor in visitors:
        streams.open_contact(visitor.contact_id)
        streams.open_channel(visitor.visitor_id, visitor.contact_id, site.organization_id)
    return dict(zip(first_chats, visitors, strict=True))


def _contact(site: Site, customer: Customer, first_chat: Chat) -> Contact:
    return Contact(
        organization_id=site.organization_id,
        name=customer.name,
        email=customer.email,
        verified=customer.verified,
        created_at=first_chat.started_at - SESSION_BEFORE_CHAT,
    )


def _session(site: Site, chat: Chat, visitor: Visitor) -> VisitorSession:
    began_at = chat.started_at - SESSION_BEFORE_CHAT
    return VisitorSession(
        site=site,
        visitor=visitor,
        origin=f"https://{site.name}",
        user_agent=chat.user_agent,
        metadata=chat.metadata,
        created_at=began_at,
        expires_at=began_at + SESSION_LENGTH,
    )


def _conversation(
    site: Site,
    chat: Chat,
    contact: Contact,
    users: Mapping[str, User],
    teams: Mapping[str, Team],
) -> Conversation:
    newest = next(line for line in reversed(chat.lines) if line.kind != "n")
    return Conversation(
        organization_id=site.organization_id,
        site=site,
        contact=contact,
        status=ConversationStatus.CLOSED if chat.closed_at else ConversationStatus.OPEN,
        assignee=users[chat.person.name] if chat.person else None,
        team=teams[chat.story.team] if chat.person else None,
        unread_count=chat.unread,
        last_message_preview=preview_of(newest.text),
        last_message_sender=_sender_type(newest),
        last_message_at=newest.at,
        last_activity_at=chat.last_activity_at,
        created_at=chat.started_at,
        closed_at=chat.closed_at,
        close_reason=chat.close_reason,
    )


def _write_messages(
    pairs: Iterable[tuple[Chat, Conversation]], users: Mapping[str, User]
) -> list[list[Message]]:
    """The messages of each conversation. Ids rise with time over all of them."""
    each = [
        [_message(conversation, chat, line, users) for line in chat.lines]
        for chat, conversation in pairs
    ]
    everything = [message for own in each for message in own]
    Message.objects.bulk_create(sorted(everything, key=lambda message: message.created_at))
    return each


def _message(
    conversation: Conversation, chat: Chat, line: Line, users: Mapping[str, User]
) -> Message:
    by_agent = chat.person is not None and line.kind != "v"
    return Message(
        organization_id=conversation.organization_id,
        conversation=conversation,
        content=line.text,
        sender_type=_sender_type(line),
        sender_user=users[chat.person.name] if chat.person and by_agent else None,
        is_public=line.kind != "n",
        created_at=line.at,
    )


def _sender_type(line: Line) -> SenderType:
    return SenderType.CONTACT if line.kind == "v" else SenderType.USER


def _set_marks(chat: Chat, conversation: Conversation, messages: Sequence[Message]) -> None:
    """Agents have read all but the `unread` last ones; the visitor all that they answered to."""
    incoming = [message for message in messages if message.sender_type == SenderType.CONTACT]
    if chat.unread:
        conversation.agents_read_up_to = max(
            (message.pk for message in messages if message.pk < incoming[-chat.unread].pk),
            default=0,
        )
    else:
        conversation.agents_read_up_to = messages[-1].pk
    read = messages if chat.closed_at else incoming
    conversation.visitor_read_up_to = max(m.pk for m in read if m.is_public)
