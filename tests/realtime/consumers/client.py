"""An agent's client in a test: the consumer's ASGI messages by queues, without a network."""

import asyncio
import json
from collections.abc import Callable
from itertools import count
from typing import Any, Self

from realtime.consumers.agent import AgentConsumer

PATIENCE_S = 5


class Closed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(f"{code} {reason}")


class AgentClient:
    """Use as a context manager: entering sends the handshake, leaving ends the application."""

    def __init__(self, headers: dict[str, str] | None = None) -> None:
        pairs = (headers or {}).items()
        self._scope = {
            "type": "websocket",
            "path": "/ws/agent",
            "headers": [(name.encode(), value.encode()) for name, value in pairs],
        }
        self._inbound: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outbound: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reads = asyncio.Event()
        self._reads.set()
        self._broken = False
        self._ids = count(1)
        self.events: list[dict[str, Any]] = []
        self.task: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        application: Any = AgentConsumer.as_asgi()
        self._inbound.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(application(self._scope, self._inbound.get, self._take))
        assert (await self._next())["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reads.set()
        self._inbound.put_nowait({"type": "websocket.disconnect", "code": 1006})
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(self.task, return_exceptions=True)

    def stop_reading(self) -> None:
        """From now on the network takes nothing from the server."""
        self._reads.clear()

    def read_on(self) -> None:
        """The network works again."""
        self._reads.set()

    def vanish(self) -> None:
        """The network is gone, and the server learns of it by its next write only."""
        self._broken = True

    def send_text(self, text: str) -> None:
        self._inbound.put_nowait({"type": "websocket.receive", "text": text})

    def send(self, type: str, data: Any = None) -> int:
        """Send a command; returns its id."""
        frame_id = next(self._ids)
        self.send_text(json.dumps({"id": frame_id, "type": type, "data": data or {}}))
        return frame_id

    async def hello(self, token: str | None = None, **data: Any) -> dict[str, Any]:
        """Say hello; returns the welcome."""
        self.send("hello", {**data, "token": token} if token else data)
        welcome = await self.frame()
        assert welcome["type"] == "welcome"
        return welcome["data"]  # type: ignore[no-any-return]

    async def ask(self, type: str, data: Any = None) -> dict[str, Any]:
        """Send a command and wait for its answer; events that come before are kept."""
        frame_id = self.send(type, data)
        while True:
            frame = await self.frame()
            if frame.get("id") == frame_id:
                return frame
            self.events.append(frame)

    async def event(self, want: str | Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next event of a type, or that fits; others are passed over."""
        fits = want if callable(want) else lambda frame: frame.get("type") == want
        while True:
            frame = self.events.pop(0) if self.events else await self.frame()
            if fits(frame):
                return frame

    async def numbered(self, size: int) -> list[dict[str, Any]]:
        """The next `size` durable events."""
        return [await self.event(lambda f: "seq" in f and f["type"] != "head") for _ in range(size)]

    async def frame(self) -> dict[str, Any]:
        """The next frame. Raises Closed."""
        message = await self._next()
        if message["type"] == "websocket.close":
            raise Closed(message["code"], message.get("reason", ""))
        return json.loads(message["text"])  # type: ignore[no-any-return]

    async def closed(self) -> Closed:
        """Read until the server closes."""
        try:
            while True:
                await self.frame()
        except Closed as closed:
            return closed

    async def silence(self, seconds: float = 0.3) -> list[dict[str, Any]]:
        """What comes within a while, heads and colleagues coming and going apart."""
        frames = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    frame = await self.frame()
                    if frame["type"] not in {"head", "presence.changed"}:
                        frames.append(frame)
        except TimeoutError:
            return frames

    async def _next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            return await self._outbound.get()

    async def _take(self, message: dict[str, Any]) -> None:
        if self._broken:
            raise OSError("client disconnected")
        await self._reads.wait()
        self._outbound.put_nowait(message)
