"""What a visitor does beside writing: typing and reading."""

from project import database
from webchat.api.widget.auth import Gate
from webchat.api.widget.request import Request
from webchat.api.widget.response import NO_CONTENT, Response
from webchat.api.widget.schemas import SeenRequest, TypingRequest
from webchat.services.activity import visitor_seen, visitor_typing


async def typing(request: Request, gate: Gate) -> Response:
    visitor = await gate.admit(request)
    body = await request.json(TypingRequest)
    # It stores nothing, so it does not queue for SQLite's one writer.
    await database.read(
        visitor_typing,
        visitor=visitor,
        engagement_id=body.engagement_id or 0,
        typing=body.state == "start",
        now=request.now,
    )
    return NO_CONTENT


async def seen(request: Request, gate: Gate) -> Response:
    visitor = await gate.admit(request)
    body = await request.json(SeenRequest)
    await database.write(
        visitor_seen,
        visitor=visitor,
        engagement_id=body.engagement_id,
        message_id=body.message_id,
        delivered_up_to=body.delivered_up_to,
        now=request.now,
    )
    return NO_CONTENT
