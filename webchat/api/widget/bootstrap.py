"""Everything that a widget needs to show the conversation and to listen."""

import asyncio
from typing import Any

from django.conf import settings

from project import database
from realtime import runtime
from realtime.bridge.interface import BridgeError
from realtime.tokens import issue_connection_token, issue_subscription_token
from webchat.api.widget.auth import Gate
from webchat.api.widget.request import Request
from webchat.api.widget.response import Response, answer
from webchat.api.widget.schemas import BootstrapAnswer, Recovery
from webchat.queries.visitor import get_bootstrap

POSITION_TIMEOUT_S = 0.3


async def bootstrap(request: Request, gate: Gate) -> Response:
    """The body is ignored, so it is not read either; only one that is too large is refused.

    The session is asked for anew: a remembered one could hand out realtime tokens that are
    younger than its revocation, and those would be taken for an hour. The stream's position is
    read before the messages, so that what arrives in between comes by the subscription.
    """
    visitor = await gate.admit(request, fresh=True)
    request.check_length()
    channel = f"visitor:{visitor.visitor_id}"
    recovery = await _read_position(channel)
    found = await database.read(get_bootstrap, visitor)
    now = request.now
    connection_ttl_s = settings.CONNECTION_TOKEN_TTL_S
    subscription_ttl_s = settings.SUBSCRIPTION_TOKEN_TTL_S
    shape = BootstrapAnswer(
        centrifugo_url=_socket_url(),
        connection_token=issue_connection_token(
            visitor.visitor_id, now=now, ttl_s=connection_ttl_s, session_id=str(visitor.sid)
        ),
        subscription_token=issue_subscription_token(
            visitor.visitor_id, channel, now=now, ttl_s=subscription_ttl_s
        ),
        visitor_channel=channel,
        visitor_id=visitor.visitor_id,
        engagement_id=found.conversation_id,
        messages=found.messages,
        has_more=found.has_more,
        agent=found.agent,
        unread_count=found.unread_count,
        read_up_to=found.read_up_to,
        expires_at=int(now.timestamp()) + min(connection_ttl_s, subscription_ttl_s),
    )
    return answer(shape.model_copy(update=recovery))


async def _read_position(channel: str) -> dict[str, Any]:
    """The answer's fields about recovery; a transport that is silent does not hold it up."""
    process = runtime.find()
    if process is None:
        return {"recovery_unavailable": True}
    try:
        async with asyncio.timeout(POSITION_TIMEOUT_S):
            position = await process.bridge.position(channel)
    except (BridgeError, TimeoutError):
        return {"recovery_unavailable": True}
    return {"recovery": Recovery(offset=position.offset, epoch=position.epoch)}


def _socket_url() -> str:
    """The address of the world's side: http becomes ws, https becomes wss."""
    return f"ws{settings.BASE_URL.removeprefix('http')}/connection/websocket"
