"""Storing a visitor's message on PostgreSQL: one prepared statement.

The contact's counter is locked first, and everything else of the statement reads from it. The
statement's snapshot is older than that lock, so its `NOT EXISTS` may miss what a concurrent sender
has just committed; then the unique constraints decide: a second open conversation becomes an
update of the first, a repeated message inserts nothing. Message ids are drawn under the lock, so
they rise with the stream.
"""

import psycopg
from django.db import connection
from psycopg.types.json import Jsonb

from webchat.intake.draft import Stored, VisitorDraft

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
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        row = cursor.execute(STORE, parameters, prepare=True).fetchone()
    return Stored(*row) if row else None
