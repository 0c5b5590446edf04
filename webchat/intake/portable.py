"""Storing a message by plain statements, for SQLite.

SQLite's one writer holds the whole database, so no lock has to be taken first.
"""

import json
from typing import Any

from django.db import connection

from webchat.intake.draft import ReplyDraft, Stored, StoredReply, VisitorDraft
from webchat.models import Conversation

OPEN = """
INSERT INTO webchat_conversation AS conversation (
    public_id, organization_id, site_id, contact_id, status, unread_count, agents_read_up_to,
    visitor_read_up_to, last_message_preview, last_message_sender, last_message_at,
    last_activity_at, created_at, close_reason
) VALUES (%(public_id)s, %(organization_id)s, %(site_id)s, %(contact_id)s, 'open', 1, 0, 0,
    %(preview)s, 'CONTACT', %(now)s, %(now)s, %(now)s, '')
ON CONFLICT (contact_id, site_id) WHERE NOT (status = 'closed') DO UPDATE SET
    unread_count = conversation.unread_count + 1,
    last_message_preview = excluded.last_message_preview,
    last_message_sender = 'CONTACT', last_message_at = excluded.last_message_at,
    last_activity_at = excluded.last_activity_at
RETURNING id, unread_count, public_id = %(public_id)s
"""
STORE = """
INSERT INTO webchat_message (
    organization_id, conversation_id, content, message_type, sender_type, is_public,
    parent_id, external_id, metadata, created_at
) VALUES (%(organization_id)s, %(conversation_id)s, %(content)s, 'TEXT', 'CONTACT', 1,
    %(parent_id)s, %(external_id)s, %(metadata)s, %(now)s)
ON CONFLICT (organization_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
RETURNING id
"""
REPLY = """
INSERT INTO webchat_message (
    organization_id, conversation_id, content, message_type, sender_type, sender_user_id,
    is_public, external_id, metadata, created_at
)
SELECT organization_id, id, %(content)s, 'TEXT', 'USER', %(sender_user_id)s, 1, %(external_id)s,
    '{}', %(now)s
FROM webchat_conversation
WHERE id = %(conversation_id)s AND organization_id = %(organization_id)s
    AND (%(site_ids)s IS NULL OR site_id IN (SELECT value FROM json_each(%(site_ids)s)))
    AND NOT (status = 'closed')
ON CONFLICT (organization_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
RETURNING id
"""
ANSWERED = """
UPDATE webchat_conversation SET
    unread_count = 0, agents_read_up_to = %(message_id)s, last_message_preview = %(preview)s,
    last_message_sender = 'USER', last_message_at = %(now)s, last_activity_at = %(now)s
WHERE id = %(conversation_id)s
RETURNING %(message_id)s, site_id, contact_id
"""


def store(draft: VisitorDraft) -> Stored | None:
    """None where nothing was stored: a repetition, or a foreign engagement. Then roll back."""
    if (
        draft.engagement_id
        and not Conversation.objects.filter(
            pk=draft.engagement_id, contact_id=draft.contact_id, site_id=draft.site_id
        ).exists()
    ):
        return None
    adapt = connection.ops.adapt_datetimefield_value
    parameters: dict[str, Any] = {
        "organization_id": draft.organization_id,
        "site_id": draft.site_id,
        "contact_id": draft.contact_id,
        "public_id": draft.public_id,
        "content": draft.content,
        "preview": draft.preview,
        "parent_id": draft.parent_id,
        "external_id": draft.external_id,
        "metadata": json.dumps(draft.metadata),
        "now": adapt(draft.now),
    }
    with connection.cursor() as cursor:
        cursor.execute(OPEN, parameters)
        conversation_id, unread_count, started = cursor.fetchone()
        cursor.execute(STORE, {**parameters, "conversation_id": conversation_id})
        row = cursor.fetchone()
    return Stored(row[0], conversation_id, unread_count, bool(started)) if row else None


def store_reply(draft: ReplyDraft) -> StoredReply | None:
    """Store a reply to an open conversation. None where there is more to it: then roll back."""
    parameters: dict[str, Any] = {
        "organization_id": draft.organization_id,
        "site_ids": None if draft.site_ids is None else json.dumps(sorted(draft.site_ids)),
        "conversation_id": draft.conversation_id,
        "sender_user_id": draft.sender_user_id,
        "content": draft.content,
        "preview": draft.preview,
        "external_id": draft.external_id,
        "now": connection.ops.adapt_datetimefield_value(draft.now),
    }
    with connection.cursor() as cursor:
        cursor.execute(REPLY, parameters)
        row = cursor.fetchone()
        if row is None:
            return None
        cursor.execute(ANSWERED, {**parameters, "message_id": row[0]})
        return StoredReply(*cursor.fetchone())
