"""The log by plain statements, for SQLite, which cannot write within a WITH clause."""

from collections.abc import Sequence

from django.db import connection

from realtime.log.draft import Draft, Numbers
from realtime.models import StoredEvent

NEXT_OF_CONTACT = """
UPDATE realtime_contactstream SET stream_seq = stream_seq + 1 WHERE contact_id = %s
RETURNING stream_seq,
    (SELECT min(stream_seq) FROM realtime_storedevent AS earlier
        WHERE earlier.contact_id = realtime_contactstream.contact_id AND earlier.visitor_pending),
    (SELECT group_concat('visitor:' || visitor_id) FROM realtime_visitorchannel AS channel
        WHERE channel.contact_id = realtime_contactstream.contact_id)
"""
NEXT_OF_ORGANIZATION = """
UPDATE realtime_organizationstream SET seq = seq + %s WHERE organization_id = %s RETURNING seq
"""


def insert(organization_id: int, drafts: Sequence[Draft]) -> list[Numbers]:
    """One row per draft, in order: a statement per visible event, then two."""
    streams = [_next_of_contact(draft) for draft in drafts]
    with connection.cursor() as cursor:
        cursor.execute(NEXT_OF_ORGANIZATION, [len(drafts), organization_id])
        row = cursor.fetchone()
    if row is None:
        raise LookupError(f"Organization {organization_id} has no event stream.")
    first = row[0] - len(drafts) + 1
    rows = StoredEvent.objects.bulk_create(
        StoredEvent(
            event_id=draft.event.event_id,
            type=draft.event.type,
            organization_id=organization_id,
            seq=first + place,
            site_id=draft.event.site_id,
            conversation_id=draft.event.conversation_id,
            agent_payload=draft.agent_payload,
            contact_id=draft.contact_id,
            stream_seq=stream_seq,
            visitor_type=draft.visitor_type,
            visitor_payload=draft.visitor_payload,
            created_at=draft.event.at,
            agents_pending=True,
            visitor_pending=stream_seq is not None,
        )
        for place, (draft, (stream_seq, _, _)) in enumerate(zip(drafts, streams, strict=True))
    )
    return [
        Numbers(row.pk, row.seq, stream_seq, pending_from, channels)
        for row, (stream_seq, pending_from, channels) in zip(rows, streams, strict=True)
    ]


def _next_of_contact(draft: Draft) -> tuple[int | None, int | None, tuple[str, ...]]:
    if draft.contact_id is None:
        return None, None, ()
    with connection.cursor() as cursor:
        cursor.execute(NEXT_OF_CONTACT, [draft.contact_id])
        row = cursor.fetchone()
    if row is None:
        raise LookupError(f"Contact {draft.contact_id} has no event stream.")
    stream_seq, pending_from, channels = row
    return stream_seq, pending_from, tuple(channels.split(",")) if channels else ()
