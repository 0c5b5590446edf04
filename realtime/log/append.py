"""Numbering and storing events: the second and last statement of the send path."""

from collections.abc import Sequence

from django.db import connection

from realtime.events import Event
from realtime.log import portable, postgres
from realtime.log.draft import Draft, Numbers
from realtime.outgoing import Outgoing, encode


def append(events: Sequence[Event]) -> list[Outgoing]:
    """Number the events and insert their rows, in order.

    All are of one organization. The caller holds the transaction and the locks of the contacts'
    counters (`realtime.streams.lock_contacts`); the organization's counter is locked here, last,
    until the commit.
    """
    organizations = {event.organization_id for event in events}
    if len(organizations) != 1:
        raise ValueError("Events of one publish() belong to one organization.")
    drafts = [_draft(event) for event in events]
    insert = postgres.insert if connection.vendor == "postgresql" else portable.insert
    return [
        _outgoing(draft, numbers)
        for draft, numbers in zip(drafts, insert(organizations.pop(), drafts), strict=True)
    ]


def _draft(event: Event) -> Draft:
    if event.data is None:
        raise ValueError(f"{event.type} is durable and has nothing for agents.")
    seen = event.visitor is not None
    return Draft(
        event=event,
        agent_payload=encode(event.data),
        contact_id=event.contact_id if seen else None,
        visitor_type=event.visitor_type if seen else None,
        visitor_payload=encode(event.visitor) if event.visitor else None,
    )


def _outgoing(draft: Draft, numbers: Numbers) -> Outgoing:
    event = draft.event
    return Outgoing(
        event_id=event.event_id,
        type=event.type,
        organization_id=event.organization_id,
        site_id=event.site_id,
        conversation_id=event.conversation_id,
        audience=event.audience,
        agent_payload=draft.agent_payload,
        contact_id=draft.contact_id,
        visitor_type=draft.visitor_type,
        visitor_payload=draft.visitor_payload,
        channels=numbers.channels,
        row_id=numbers.row_id,
        seq=numbers.seq,
        stream_seq=numbers.stream_seq,
        pending_from=numbers.pending_from,
        waits_for_sender=event.waits_for_sender(),
    )
