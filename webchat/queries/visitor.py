"""What the widget's calls read: the session behind a token, and the bootstrap."""

from dataclasses import dataclass
from datetime import datetime

from project.errors import Unauthorized
from realtime.events.shapes import MessageShape, Person
from webchat.models import Conversation, ConversationStatus, Message, VisitorSession
from webchat.principal import VisitorAccess
from webchat.queries import conversation as conversations
from webchat.queries import message as messages
from webchat.signing import SessionClaims


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """The visitor's side of the conversation; `conversation_id` 0 and `agent` None for none."""

    conversation_id: int
    messages: list[MessageShape]
    has_more: bool
    agent: Person | None
    unread_count: int
    read_up_to: int


def get_access(claims: SessionClaims, *, now: datetime) -> VisitorAccess:
    """The live session of a genuine token. Raises Unauthorized when it has been revoked."""
    session = (
        VisitorSession.objects.select_related("visitor__contact")
        .filter(sid=claims.sid, revoked_at__isnull=True, expires_at__gt=now)
        .first()
    )
    if session is None:
        raise Unauthorized("This session has ended. Start a new one.")
    contact = session.visitor.contact
    return VisitorAccess(
        sid=session.sid,
        visitor_pk=session.visitor_id,
        visitor_id=session.visitor.visitor_id,
        contact_id=contact.pk,
        contact_name=contact.name or None,
        organization_id=contact.organization_id,
        site_id=session.site_id,
        origin=session.origin,
        scopes=claims.scopes,
    )


def get_bootstrap(visitor: VisitorAccess) -> Bootstrap:
    """Read after the stream's position, so that a subscription from there misses nothing.

    `read_up_to` is the agents' mark: the newest message that an agent has read.
    """
    conversation = (
        Conversation.objects.exclude(status=ConversationStatus.CLOSED)
        .select_related("assignee")
        .filter(contact_id=visitor.contact_id, site_id=visitor.site_id)
        .first()
    )
    history = messages.list_for_visitor(visitor)
    if conversation is None:
        return Bootstrap(0, history.messages, history.has_more, None, 0, 0)
    unread = Message.objects.filter(
        conversation=conversation, is_public=True, pk__gt=conversation.visitor_read_up_to
    ).exclude(sender_type="CONTACT")
    return Bootstrap(
        conversation_id=conversation.pk,
        messages=history.messages,
        has_more=history.has_more,
        agent=conversations.assignee_of(conversation),
        unread_count=unread.count(),
        read_up_to=conversation.agents_read_up_to,
    )
