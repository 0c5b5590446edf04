"""What loads the server: cheap clients, since they share its cores."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, Self

import httptools
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from tests.load.population import ORIGIN, Listener

TIMEOUT_S = 15
Take = Callable[[bytes, int], None]
"""Gets a frame and the moment, in nanoseconds, at which it came."""


class HttpClient(asyncio.Protocol):
    """One kept connection with one request at a time."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._answered: asyncio.Future[int] | None = None
        self._body = b""

    @classmethod
    async def open(cls, port: int, path: str, token: str = "") -> Self:
        """For POSTs of JSON to one path."""
        head = (
            f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\norigin: {ORIGIN}\r\n"
            f"authorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        )
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: cls(head.encode()), "127.0.0.1", port)
        return client

    async def post(self, body: Any) -> tuple[int, bytes]:
        """Send it and wait for the answer: status and body."""
        payload = json.dumps(body).encode()
        self._body = b""
        self._parser = httptools.HttpResponseParser(self)
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(
            b"%scontent-length: %d\r\n\r\n%s" % (self._head, len(payload), payload)
        )
        return await self._answered, self._body

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError("The server closed the connection."))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(self._parser.get_status_code())


class SocketClient(WSListener):
    """A socket that passes on whatever it gets; `ready` when the server has let it in."""

    def __init__(self, take: Take | None) -> None:
        self._take = take
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, port: int, path: str, *frames: Any) -> Self:
        """Connect, send the frames, and wait until they have been accepted."""
        async with asyncio.timeout(TIMEOUT_S):
            await ws_connect(lambda: self, f"ws://127.0.0.1:{port}{path}")
            self.send("\n".join(json.dumps(frame) for frame in frames))
            await self._ready
        return self

    def send(self, text: str) -> None:
        self._transport.send(WSMsgType.TEXT, text.encode())

    def close(self) -> None:
        self._transport.disconnect(graceful=False)

    def is_welcome(self, payload: bytes) -> bool:
        raise NotImplementedError

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        arrived_at = time.monotonic_ns()
        if frame.msg_type is not WSMsgType.TEXT:
            if frame.msg_type is WSMsgType.CLOSE:
                self._fail(f"closed {frame.get_close_code()} {frame.get_close_reason()}")
            return
        payload = frame.get_payload_as_bytes()
        if not self._ready.done():
            if self.is_welcome(payload):
                self._ready.set_result(None)
        elif self._take is not None:
            self._take(payload, arrived_at)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._fail("disconnected")

    def _fail(self, reason: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(ConnectionError(reason))


class AgentClient(SocketClient):
    """An agent at `/ws/agent`; the bare server greets alike."""

    @classmethod
    async def enter(cls, port: int, token: str, take: Take | None = None) -> Self:
        hello = {"id": 0, "type": "hello", "data": {"token": token}}
        return await cls(take).open(port, "/ws/agent", hello)

    def is_welcome(self, payload: bytes) -> bool:
        return b'"welcome"' in payload


class VisitorClient(SocketClient):
    """A visitor subscribed to the own channel, by the Centrifuge protocol."""

    @classmethod
    async def enter(cls, port: int, listener: Listener, take: Take | None = None) -> Self:
        subscribe = {"channel": listener.channel, "token": listener.subscription_token}
        return await cls(take).open(
            port,
            "/connection/websocket",
            {"id": 1, "connect": {"token": listener.connection_token}},
            {"id": 2, "subscribe": subscribe},
        )

    def is_welcome(self, payload: bytes) -> bool:
        return b'"id":2,"subscribe"' in payload

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT and frame.get_payload_as_bytes() == b"{}":
            self.send("{}")  # ping, pong
        else:
            super().on_ws_frame(transport, frame)
