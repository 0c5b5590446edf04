"""The gateway's WebSocket endpoint."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from channels.consumer import AsyncConsumer

from realtime.abort import abort
from realtime.gateway.codes import Close
from realtime.gateway.outbox import Outbox
from realtime.gateway.session import Gateway, Session, State

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class GatewayConsumer(AsyncConsumer):
    """`GatewayConsumer.as_asgi(gateway=...)` is the application for `/connection/websocket`.

    It reads the socket itself: Channels would run two tasks and a database clean-up per event, and
    uvicorn may end a consumer without the disconnect that Channels' own clean-up waits for.

    Any origin may connect, since a token decides and no cookie is read. No subprotocol is selected:
    the clients' JSON has none, and the Protobuf that they may offer is not spoken here.
    """

    def __init__(self, *, gateway: Gateway) -> None:
        self._gateway = gateway
        self._dropped = False

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        options = self._gateway.options
        outbox = Outbox(
            send,
            self._dropper(send),
            limit=options.queue_max_bytes,
            close_deadline=options.close_deadline,
        )
        session = Session(self._gateway, outbox)
        try:
            await self._read(session, receive)
        except asyncio.CancelledError:
            if not self._dropped:
                raise
        finally:
            session.end()
            outbox.discard()

    async def _read(self, session: Session, receive: Receive) -> None:
        while (event := await receive())["type"] != "websocket.disconnect":
            frame = event.get("text")
            await self._receive(session, event.get("bytes") if frame is None else frame)
            if session.state is State.REFUSED:
                await self._wait_unanswering(receive)
                return

    async def _receive(self, session: Session, frame: str | bytes) -> None:
        if _is_longer(frame, self._gateway.options.message_max_bytes):
            session.close(*Close.MESSAGE_TOO_BIG.value)
            return
        try:
            text = frame if isinstance(frame, str) else frame.decode()
        except UnicodeDecodeError:
            session.close(*Close.BAD_REQUEST.value)
            return
        await session.receive(text)

    async def _wait_unanswering(self, receive: Receive) -> None:
        """Until the client goes, or its time is over: then there is no close frame either."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._gateway.options.refused_close_delay):
                while (await receive())["type"] != "websocket.disconnect":
                    pass

    def _dropper(self, send: Send) -> Callable[[], None]:
        """Ends a connection whose reader has taken nothing for so long that no frame gets out."""
        connection = asyncio.current_task()

        def drop() -> None:
            self._dropped = True
            abort(send)
            if connection is not None:
                connection.cancel()

        return drop


def _is_longer(frame: str | bytes, limit: int) -> bool:
    if isinstance(frame, bytes) or frame.isascii():
        return len(frame) > limit
    return len(frame.encode()) > limit
