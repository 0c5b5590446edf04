"""Typing, viewing, reading and availability: what people do, beside what they say."""

from datetime import datetime
from typing import cast

from django.db import transaction

from project.errors import NotFound
from realtime import streams
from realtime.events import (
    PresenceChanged,
    SeenUpdated,
    TypingStarted,
    TypingStopped,
    ViewingChanged,
)
from realtime.events.activity import (
    PresenceData,
    PresenceStatus,
    TypingData,
    ViewingData,
    VisitorTyping,
)
from realtime.events.message import MessageReadVisitor, SeenData
from realtime.events.shapes import RowChange
from realtime.publish import publish
from webchat.models import Availability, Conversation, Membership, Message, SenderType
from webchat.principal import Agent, VisitorAccess
from webchat.queries import conversation as conversations
from webchat.services.errors import EngagementForbidden
from webchat.services.locking import lock_conversation
from webchat.services.routing import about


def agent_typing(
    *, agent: Agent, conversation_id: int, typing: bool, is_note: bool = False, now: datetime
) -> None:
    """Tell the conversation's readers; the visitor hears of it unless it's a note.

    Raises NotFound.
    """
    conversation = _get_visible(agent, conversation_id)
    visitor = VisitorTyping(
        engagement_id=conversation_id,
        sender_type="USER",
        sender_id=agent.user_id,
        sender_name=agent.name,
    )
    data = TypingData(
        sender_type="USER", sender_id=agent.user_id, sender_name=agent.name, is_note=is_note
    )
    kind = TypingStarted if typing else TypingStopped
    routing = about(conversation, at=now)
    publish(kind(**routing, data=data, visitor=None if is_note else visitor))


def visitor_typing(
    *, visitor: VisitorAccess, engagement_id: int, typing: bool, now: datetime
) -> None:
    """Tell the agents who have the engagement open. Raises EngagementForbidden.

    With engagement 0 there is no conversation yet that anybody could have open: nothing to do.
    """
    if engagement_id == 0:
        return
    conversation = _get_own(visitor, engagement_id)
    data = TypingData(
        sender_type="CONTACT",
        sender_id=visitor.contact_id,
        sender_name=visitor.contact_name,
        is_note=False,
    )
    kind = TypingStarted if typing else TypingStopped
    publish(kind(**about(conversation, at=now), data=data))


def agent_viewing(*, agent: Agent, conversation_id: int, viewing: bool, now: datetime) -> None:
    """Tell the conversation's other readers that the agent came or went. Raises NotFound."""
    conversation = _get_visible(agent, conversation_id)
    publish(
        ViewingChanged(
            **about(conversation, at=now),
            data=ViewingData(agent_id=agent.user_id, agent_name=agent.name, viewing=viewing),
        )
    )


def agent_seen(*, agent: Agent, conversation_id: int, read_up_to: int, now: datetime) -> None:
    """Move the agents' mark up to a message id; a mark never moves back. Raises NotFound."""
    with transaction.atomic():
        conversation = lock_conversation(agent, conversation_id)
        newest = _newest(conversation, read_up_to)
        if newest <= conversation.agents_read_up_to:
            return
        conversation.agents_read_up_to = newest
        conversation.unread_count = conversation.messages.filter(
            pk__gt=newest, sender_type=SenderType.CONTACT
        ).count()
        conversation.save(update_fields=["agents_read_up_to", "unread_count"])
        publish(
            SeenUpdated(
                **about(conversation, at=now),
                data=SeenData(
                    by="agent",
                    agent_id=agent.user_id,
                    read_up_to=newest,
                    marks=conversations.marks_of(conversation),
                    row=RowChange(id=conversation.pk, unread_count=conversation.unread_count),
                ),
                visitor=MessageReadVisitor(
                    engagement_id=conversation.pk,
                    reader_type="user",
                    reader_id=agent.user_id,
                    message_id=newest,
                ),
            )
        )


def visitor_seen(
    *,
    visitor: VisitorAccess,
    engagement_id: int,
    message_id: int | None = None,
    delivered_up_to: int | None = None,
    now: datetime,
) -> None:
    """Move the visitor's marks up to message ids: read, and received by the device.

    What was read was received; a mark never moves back. Raises EngagementForbidden.
    """
    with transaction.atomic():
        conversation = _get_own(visitor, engagement_id, lock=True)
        read = _newest(conversation, message_id or 0, is_public=True)
        received = max(read, _newest(conversation, delivered_up_to or 0, is_public=True))
        before = conversations.marks_of(conversation)
        conversation.visitor_read_up_to = max(read, before.visitor_read_up_to)
        conversation.visitor_delivered_up_to = max(received, before.visitor_delivered_up_to)
        if conversations.marks_of(conversation) == before:
            return
        conversation.save(update_fields=["visitor_read_up_to", "visitor_delivered_up_to"])
        publish(
            SeenUpdated(
                **about(conversation, at=now),
                data=SeenData(
                    by="visitor",
                    agent_id=None,
                    read_up_to=conversation.visitor_read_up_to,
                    marks=conversations.marks_of(conversation),
                    row=RowChange(id=conversation.pk),
                ),
            )
        )


def set_availability(*, agent: Agent, status: Availability, now: datetime) -> None:
    """What the agent says of themselves, for all their windows; the same again is no news."""
    with transaction.atomic():
        other = Membership.objects.filter(pk=agent.membership_id).exclude(availability=status)
        if other.update(availability=status) == 0:
            return
        publish(
            PresenceChanged(
                at=now,
                organization_id=agent.organization_id,
                data=PresenceData(
                    agent_id=agent.user_id, status=cast("PresenceStatus", status.value)
                ),
            )
        )


def _get_visible(agent: Agent, conversation_id: int) -> Conversation:
    conversation = conversations.visible_to(agent).filter(pk=conversation_id).first()
    if conversation is None:
        raise NotFound
    return conversation


def _get_own(visitor: VisitorAccess, engagement_id: int, *, lock: bool = False) -> Conversation:
    rows = Conversation.objects.all()
    if lock:
        streams.lock_contacts([visitor.contact_id])
        rows = rows.select_for_update(no_key=True)
    conversation = rows.filter(
        pk=engagement_id, contact_id=visitor.contact_id, site_id=visitor.site_id
    ).first()
    if conversation is None:
        raise EngagementForbidden
    return conversation


def _newest(conversation: Conversation, up_to: int, **only: bool) -> int:
    """The id of the newest message of the conversation that is not above `up_to`; 0 for none."""
    rows = Message.objects.filter(conversation=conversation, pk__lte=up_to, **only)
    return rows.order_by("-pk").values_list("pk", flat=True).first() or 0
