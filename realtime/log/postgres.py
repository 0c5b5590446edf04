"""The log on PostgreSQL: counters and rows in one prepared statement.

Django leaves server-side preparing off; here it halves the cost of a send (docs/scaling.md), so
the statement goes to psycopg's own cursor. Events come as rows of VALUES, and hence a statement per
number of events: arrays would need one only, but quoting the payloads in them costs the client ten
times as much. `organization` waits for `contact` by its sub-select, which keeps the organization's
counter the last lock.
"""

from collections.abc import Sequence
from functools import cache

import psycopg
from django.db import connection

from realtime.log.draft import Draft, Numbers

FIELDS = (
    "%s::bigint, %s::uuid, %s::text, %s::bigint, %s::bigint, %s::text, %s::bigint, %s::text, "
    "%s::text, %s::timestamptz"
)
INSERT = """
WITH draft (
    position, organization_id, event_id, type, site_id, conversation_id, agent_payload, contact_id,
    visitor_type, visitor_payload, created_at
) AS (
    VALUES {rows}
), contact AS (
    UPDATE realtime_contactstream AS stream SET stream_seq = stream.stream_seq + share.size
    FROM (SELECT contact_id, count(*) AS size FROM draft GROUP BY contact_id) AS share
    WHERE stream.contact_id = share.contact_id
    RETURNING stream.contact_id, stream.stream_seq - share.size AS base
), organization AS (
    UPDATE realtime_organizationstream AS stream SET seq = stream.seq + share.size
    FROM (SELECT organization_id, count(*) AS size FROM draft GROUP BY organization_id) AS share
    WHERE stream.organization_id = share.organization_id
        AND (SELECT count(*) FROM contact) >= 0
    RETURNING stream.seq - share.size AS base
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
    SELECT event_id, type, organization_id, seq, site_id, conversation_id, agent_payload,
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
    parameters = [value for draft in drafts for value in _values(organization_id, draft)]
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        rows = cursor.execute(statement(len(drafts)), parameters, prepare=True).fetchall()
    if len(rows) != len(drafts):
        raise LookupError(f"Organization {organization_id} has no event stream.")
    for draft, row in zip(drafts, rows, strict=True):
        if draft.contact_id is not None and row[2] is None:
            raise LookupError(f"Contact {draft.contact_id} has no event stream.")
    return [
        Numbers(row_id, seq, stream_seq, pending_from, tuple(channels or ()))
        for row_id, seq, stream_seq, pending_from, channels in rows
    ]


@cache
def statement(size: int) -> str:
    """For so many events."""
    return INSERT.format(rows=", ".join(f"({place}, {FIELDS})" for place in range(1, size + 1)))


def _values(organization_id: int, draft: Draft) -> tuple[object, ...]:
    event = draft.event
    return (
        organization_id,
        event.event_id,
        event.type,
        event.site_id,
        event.conversation_id,
        draft.agent_payload,
        draft.contact_id,
        draft.visitor_type,
        draft.visitor_payload,
        event.at,
    )
