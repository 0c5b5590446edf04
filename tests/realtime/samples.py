"""Events that name rows which need not exist: the spine holds plain ids."""

from datetime import UTC, datetime
from uuid import UUID

from realtime import streams
from realtime.events import Audience, ConversationAssigned, ConversationReopened, TypingStarted
from realtime.events.activity import TypingData, VisitorTyping
from realtime.events.conversation import (
    ConversationAssignedData,
    ConversationReopenedData,
    EngagementReopened,
)
from realtime.events.shapes import ContactSummary, ConversationRow
from realtime.outgoing import Outgoing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORGANIZATION = 1
CONTACT = 5
CONVERSATION = 9
ROW = ConversationRow(
    id=CONVERSATION,
    public_id="cv_9",
    status="open",
    contact=ContactSummary(id=CONTACT, name=None, verified=False, online=False),
    site_id=3,
    assignee=None,
    team=None,
    unread_count=0,
    last_message=None,
    last_activity_at=NOW,
    created_at=NOW,
)


def open_streams(
    organization_id: int = ORGANIZATION, contact_id: int = CONTACT, *visitor_ids: str
) -> None:
    streams.open_organization(organization_id)
    open_contact(organization_id, contact_id, *visitor_ids)


def open_contact(organization_id: int, contact_id: int, *visitor_ids: str) -> None:
    streams.open_contact(contact_id)
    for visitor_id in visitor_ids:
        streams.open_channel(visitor_id, contact_id, organization_id)


def seen_event(
    contact_id: int = CONTACT, *, organization_id: int = ORGANIZATION, at: datetime = NOW
) -> ConversationReopened:
    """A durable event that the contact's visitors see."""
    return ConversationReopened(
        at=at,
        organization_id=organization_id,
        site_id=3,
        conversation_id=CONVERSATION,
        contact_id=contact_id,
        data=ConversationReopenedData(by=7, row=ROW),
        visitor=EngagementReopened(engagement_id=CONVERSATION, agent=None),
    )


def hidden_event(
    contact_id: int = CONTACT, *, organization_id: int = ORGANIZATION, at: datetime = NOW
) -> ConversationAssigned:
    """A durable event that only agents see."""
    return ConversationAssigned(
        at=at,
        organization_id=organization_id,
        site_id=3,
        conversation_id=CONVERSATION,
        contact_id=contact_id,
        data=ConversationAssignedData(agent=None, team=None, by=7, row=ROW),
        visitor=None,
    )


def fleeting_event(
    contact_id: int = CONTACT, *, organization_id: int = ORGANIZATION, sender_id: int = 7
) -> TypingStarted:
    """An ephemeral event that the contact's visitors see."""
    return TypingStarted(
        at=NOW,
        organization_id=organization_id,
        site_id=3,
        conversation_id=CONVERSATION,
        contact_id=contact_id,
        data=TypingData(sender_type="USER", sender_id=sender_id, sender_name="Ada", is_note=False),
        visitor=VisitorTyping(
            engagement_id=CONVERSATION, sender_type="USER", sender_id=sender_id, sender_name="Ada"
        ),
    )


def numbered(
    stream_seq: int,
    *,
    contact_id: int = CONTACT,
    pending_from: int | None = None,
    waits_for_sender: bool = False,
) -> Outgoing:
    """A visible event as `publish` hands it over; the row has the stream number as its id."""
    return Outgoing(
        event_id=UUID(int=contact_id * 10**6 + stream_seq),
        type="conversation.reopened",
        organization_id=ORGANIZATION,
        site_id=3,
        conversation_id=CONVERSATION,
        audience=Audience.SITE,
        agent_payload="{}",
        contact_id=contact_id,
        visitor_type="engagement.reopened",
        visitor_payload="{}",
        channels=(f"visitor:{contact_id}",),
        row_id=stream_seq,
        seq=stream_seq,
        stream_seq=stream_seq,
        pending_from=pending_from,
        waits_for_sender=waits_for_sender,
    )
