"""Storing a message on PostgreSQL: one prepared statement.

The contact's counter is locked first, and everything else of the statement reads from it. The
statement's snapshot is older than that lock, so its `NOT EXISTS` may miss what a concurrent sender
has just committed; then the unique constraints decide: a second open conversation becomes an
update of the first, a repeated message inserts nothing. Message ids are drawn under the lock, so
they rise with the stream.

A reply's conversation may have been closed or merged since the snapshot as well: its UPDATE looks
at the newest row, and the message is inserted only where that was updated.
"""

from typing import Any

import psycopg
from django.db import connection
from psycopg.types.json import Jsonb

from webchat.intake.draft import ReplyDraft, Stored, StoredReply, VisitorDraft

STORE = """
WITH counter AS MATERIALIZED (
    SELECT contact_id FROM realtime_contactstream WHERE contact_id = %(contact_id)s
    FOR NO KEY UPDATE
), welcome AS MATERIALIZED (
    SELECT contact_id FROM counter
    WHERE (%(engagement_id)s = 0 OR EXISTS (
        SELECT FROM webchat_conversation AS given WHERE given.id = %(engagement_id)s
            AND given.contact_id = %(contact_id)s AND given.site_id = %(site_id)s
    )) AND NOT EXISTS (
        SELECT FROM webchat_message AS earlier
        WHERE earlier.organization_id = %(organization_id)s
            AND earlier.external_id = %(external_id)s
    )
), touched AS (
    UPDATE webchat_conversation AS conversation SET
        unread_count = conversation.unread_count + 1, last_message_preview = %(preview)s,
        last_message_sender = 'CONTACT', last_message_at = %(now)s, last_activity_at = %(now)s
    FROM welcome
    WHERE conversation.contact_id = welcome.contact_id AND conversation.site_id = %(site_id)s
        AND NOT (conversation.status = 'closed')
    RETURNING conversation.id, conversation.unread_count, false AS started
), opened AS (
    INSERT INTO webchat_conversation AS conversation (
        public_id, organization_id, site_id, contact_id, status, unread_count, agents_read_up_to,
        visitor_read_up_to, last_message_preview, last_message_sender, last_message_at,
        last_activity_at, created_at, close_reason
    )
    SELECT %(public_id)s, %(organization_id)s, %(site_id)s, contact_id, 'open', 1, 0, 0,
        %(preview)s, 'CONTACT', %(now)s, %(now)s, %(now)s, ''
    FROM welcome WHERE NOT EXISTS (SELECT FROM touched)
    ON CONFLICT (contact_id, site_id) WHERE NOT (status = 'closed') DO UPDATE SET
        unread_count = conversation.unread_count + 1, last_message_preview = %(preview)s,
        last_message_sender = 'CONTACT', last_message_at = %(now)s, last_activity_at = %(now)s
    RETURNING conversation.id, conversation.unread_count,
        conversation.public_id = %(public_id)s AS started
), chosen AS (
    SELECT * FROM touched UNION ALL SELECT * FROM opened
), stored AS (
    INSERT INTO webchat_message (
        organization_id, conversation_id, content, message_type, sender_type, is_public,
        parent_id, external_id, metadata, created_at
    )
    SELECT %(organization_id)s, id, %(content)s, 'TEXT', 'CONTACT', true, %(parent_id)s,
        %(external_id)s, %(metadata)s, %(now)s
    FROM chosen
    ON CONFLICT (organization_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
    RETURNING id
)
SELECT stored.id, chosen.id, chosen.unread_count, chosen.started FROM stored, chosen
"""
REPLY = """
WITH given AS MATERIALIZED (
    SELECT contact_id FROM webchat_conversation
    WHERE id = %(conversation_id)s AND organization_id = %(organization_id)s
        AND (%(site_ids)s::bigint[] IS NULL OR site_id = ANY(%(site_ids)s))
), counter AS MATERIALIZED (
    SELECT stream.contact_id FROM realtime_contactstream AS stream, given
    WHERE stream.contact_id = given.contact_id
    FOR NO KEY UPDATE OF stream
), drawn AS MATERIALIZED (
    SELECT contact_id, nextval('webchat_message_id_seq') AS message_id FROM counter
    WHERE NOT EXISTS (
        SELECT FROM webchat_message AS earlier
        WHERE earlier.organization_id = %(organization_id)s
            AND earlier.external_id = %(external_id)s
    )
), touched AS (
    UPDATE webchat_conversation AS conversation SET
        unread_count = 0, agents_read_up_to = drawn.message_id,
        last_message_preview = %(preview)s, last_message_sender = 'USER',
        last_message_at = %(now)s, last_activity_at = %(now)s
    FROM drawn
    WHERE conversation.id = %(conversation_id)s
        AND conversation.contact_id = drawn.contact_id AND NOT (conversation.status = 'closed')
    RETURNING drawn.message_id, conversation.site_id, conversation.contact_id
), stored AS (
    INSERT INTO webchat_message (
        id, organization_id, conversation_id, content, message_type, sender_type, sender_user_id,
        is_public, external_id, metadata, created_at
    )
    SELECT message_id, %(organization_id)s, %(conversation_id)s, %(content)s, 'TEXT', 'USER',
        %(sender_user_id)s, true, %(external_id)s, '{}', %(now)s
    FROM touched
    ON CONFLICT (organization_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
    RETURNING id
)
SELECT stored.id, touched.site_id, touched.contact_id FROM stored, touched
"""


def store(draft: VisitorDraft) -> Stored | None:
    """None where nothing was stored: a repetition, or a foreign engagement. Then roll back."""
    parameters = {
        "organization_id": draft.organization_id,
        "site_id": draft.site_id,
        "contact_id": draft.contact_id,
        "engagement_id": draft.engagement_id,
        "public_id": draft.public_id,
        "content": draft.content,
        "preview": draft.preview,
        "parent_id": draft.parent_id,
        "external_id": draft.external_id,
        "metadata": Jsonb(draft.metadata),
        "now": draft.now,
    }
    row = _execute(STORE, parameters)
    return Stored(*row) if row else None


def store_reply(draft: ReplyDraft) -> StoredReply | None:
    """Store a reply to an open conversation. None where there is more to it: then roll back."""
    parameters = {
        "organization_id": draft.organization_id,
        "site_ids": None if draft.site_ids is None else sorted(draft.site_ids),
        "conversation_id": draft.conversation_id,
        "sender_user_id": draft.sender_user_id,
        "content": draft.content,
        "preview": draft.preview,
        "external_id": draft.external_id,
        "now": draft.now,
    }
    row = _execute(REPLY, parameters)
    return StoredReply(*row) if row else None


def _execute(statement: str, parameters: dict[str, Any]) -> tuple[Any, ...] | None:
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement, parameters, prepare=True).fetchone()
