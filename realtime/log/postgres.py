"""The log on PostgreSQL: counters and rows in one prepared statement.

Django leaves server-side preparing off; here it halves the cost of a send (docs/scaling.md), so
the statement goes to psycopg's own cursor. `organization` waits for `contact` by its sub-select,
which keeps the organization's counter the last lock.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection

from realtime.log.draft import Draft, Numbers

INSERT = """
WITH draft AS (
    SELECT * FROM unnest(
        %(event_id)s::uuid[], %(type)s::text[], %(site_id)s::bigint[],
        %(conversation_id)s::bigint[], %(agent_payload)s::text[], %(contact_id)s::bigint[], %(visitor_type)s::text[],
        %(visitor_payload)s::text[], %(created_at)s::timestamptz[]
    ) WITH ORDINALITY AS d (
        event_id, type, site_id, conversation_id, agent_payload, contact_id, visitor_type,
        visitor_payload, created_at, position
    )
), contact AS (
    UPDATE realtime_contactstream AS stream SET stream_seq = stream.stream_seq + share.size
    FROM (SELECT contact_id, count(*) AS size FROM draft GROUP BY contact_id) AS share
    WHERE stream.contact_id = share.contact_id
    RETURNING stream.contact_id, stream.stream_seq - share.size AS base
), organization AS (
    UPDATE realtime_organizationstream SET seq = seq + %(size)s
    WHERE organization_id = %(organization_id)s AND (SELECT count(*) FROM contact) >= 0
    RETURNING seq - %(size)s AS base
), numbered AS (
    SELECT draft.*, organization.base + position AS seq,
        contact.base + row_number() OVER (PARTITION BY draft.contact_id ORDER BY position)
            AS stream_seq
    FROM organization CROSS JOIN draft LEFT JOIN contact ON contact.contact_id = draft.contact_id
), inserted AS (
    INSERT INTO realtime_storedevent (
        event_id, type, organization_id, seq, site_id, conversation_id, agent_payload, contact_id,
        stream_seq, visitor_type, visitor_payload, created_at, agents_pending, visitor_pending
    )
    SELECT event_id, type, %(organization_id)s, seq, site_id, conversation_id, agent_payload,
        contact_id, stream_seq, visitor_type, visitor_payload, created_at, true,
        stream_seq IS NOT NULL
    FROM numbered ORDER BY seq
    RETURNING id, seq, contact_id, stream_seq
)
SELECT id, seq, stream_seq,
    (SELECT min(stream_seq) FROM realtime_storedevent AS earlier
        WHERE earlier.contact_id = inserted.contact_id AND earlier.visitor_pending),
    (SELECT array_agg('visitor:' || visitor_id) FROM realtime_visitorchannel AS channel
        WHERE channel.contact_id = inserted.contact_id)
FROM inserted ORDER BY seq
"""


def insert(organization_id: int, drafts: Sequence[Draft]) -> list[Numbers]:
    """One row per draft, in order."""
    events = [draft.event for draft in drafts]
    parameters: dict[str, Any] = {
        "organization_id": organization_id,
        "size": len(drafts),
        "event_id": [event.event_id for event in events],
        "type": [event.type for event in events],
        "site_id": [event.site_id for event in events],
        "conversation_id": [event.conversation_id for event in events],
        "agent_payload": [draft.agent_payload for draft in drafts],
        "contact_id": [draft.contact_id for draft in drafts],
        "visitor_type": [draft.visitor_type for draft in drafts],
        "visitor_payload": [draft.visitor_payload for draft in drafts],
        "created_at": [event.at for event in events],
    }
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(INSERT, parameters, prepare=True)
        rows = cursor.fetchall()
    if len(rows) != len(drafts):
        raise LookupError(f"Organization {organization_id} has no event stream.")
    for draft, row in zip(drafts, rows, strict=True):
        if draft.contact_id is not None and row[2] is None:
            raise LookupError(f"Contact {draft.contact_id} has no event stream.")
    return [
        Numbers(row_id, seq, stream_seq, pending_from, tuple(channels or ()))
        for row_id, seq, stream_seq, pending_from, channels in rows
    ]
