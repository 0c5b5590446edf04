"""Sending a message, and reading older ones."""

from uuid import UUID

from project import database
from realtime import runtime
from webchat.api.widget.auth import Gate
from webchat.api.widget.request import Request
from webchat.api.widget.response import Response, answer
from webchat.api.widget.schemas import HistoryAnswer, HistoryQuery, MessageRequest, SentAnswer
from webchat.queries.message import list_for_visitor
from webchat.services.message.visitor import send_visitor_message

LARGEST_PAGE = 100


async def send_message(request: Request, gate: Gate) -> Response:
    visitor = await gate.admit(request)
    body = await request.json(MessageRequest)
    sent = await database.write(
        send_visitor_message,
        visitor=visitor,
        content=body.content,
        engagement_id=body.engagement_id or 0,
        client_message_id=body.client_message_id,
        parent_message_id=body.parent_message_id or None,
        metadata=body.metadata,
        now=request.now,
    )
    shape = SentAnswer(
        message_id=sent.message_id,
        engagement_id=sent.conversation_id,
        created_at=sent.created_at,
        deduped=sent.deduped,
    )
    return answer(shape, status=201, after=lambda: _release(visitor.contact_id, sent.event_id))


async def list_messages(request: Request, gate: Gate) -> Response:
    visitor = await gate.admit(request)
    query = request.query(HistoryQuery)
    limit = max(1, min(LARGEST_PAGE, query.limit))
    found = await database.read(list_for_visitor, visitor, before=query.before, limit=limit)
    return answer(HistoryAnswer(messages=found.messages, has_more=found.has_more))


def _release(contact_id: int, event_id: UUID | None) -> None:
    """The sender has its answer: its own publication, held back until now, may follow."""
    process = runtime.find()
    if process is not None and event_id is not None:
        process.visitors.release(contact_id, event_id)
