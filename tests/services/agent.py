"""An agent at the real socket, who reconnects and resumes as docs/protocol.md asks of a client."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

PATIENCE_S = 10
RECONNECT_S = 0.05
FINAL = {4400, 4401, 4403, 4413}

Frame = dict[str, Any]


class Refused(Exception):
    """The server answered a command with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.code = error["code"]
        super().__init__(f"{error['code']}: {error['message']}")


class BrokenStream(AssertionError):
    """A frame was missing, doubled or out of its place, which `prev` and `seq` tell."""


class AgentClient:
    """`events` holds every numbered event in its order; a fault in that order ends the client.

    As a context manager it is connected from the first line on, and its fault is raised at the end.
    """

    def __init__(self, base_url: str, token: str) -> None:
        self._url = f"ws{base_url.removeprefix('http')}/ws/agent"
        self._token = token
        self.epoch = ""
        self.after: int | None = None
        self.me: dict[str, Any] = {}
        self.events: list[Frame] = []
        self.fleeting: list[Frame] = []
        self.closes: Counter[int] = Counter()
        self.listeners: list[Callable[[Frame], None]] = []
        self._read = 0
        self._socket: ClientConnection | None = None
        self._asked: dict[str, tuple[str, asyncio.Future[Frame]]] = {}
        self._news = asyncio.Condition()
        self._online = asyncio.Event()
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._life: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._life = asyncio.create_task(self._live())
        await self.connected()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._life is not None
        self._life.cancel()
        with suppress(asyncio.CancelledError):
            await self._life

    async def connected(self) -> None:
        await self._while_alive(self._online.wait())

    async def stays(self) -> None:
        """Wait as long as nothing is wrong, and raise what is."""
        await self._while_alive(asyncio.Event().wait())

    def drop(self) -> None:
        """Lose the line, without a word to the server."""
        if self._socket is not None:
            self._socket.transport.abort()

    def stop_listening(self) -> None:
        """Leave unread whatever the server sends, until the line is lost."""
        if self._socket is not None:
            self._socket.transport.pause_reading()

    def leave(self) -> None:
        """Lose the line, and stay away until `come_back`."""
        self._wanted.clear()
        self.drop()

    def come_back(self) -> None:
        self._wanted.set()

    async def ask(self, command: str, **data: Any) -> Any:
        """The answer's data, however often the line breaks meanwhile. Raises Refused."""
        frame_id = uuid4().hex
        frame = json.dumps({"id": frame_id, "type": command, "data": data})
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._asked[frame_id] = frame, future
        if self._online.is_set() and self._socket is not None:
            with suppress(ConnectionClosed):  # then it is sent again on the next line
                await self._socket.send(frame)
        answer = await self._while_alive(future)
        if not answer["ok"]:
            raise Refused(answer["error"])
        return answer["data"]

    async def say(self, conversation_id: int, content: str, key: str | None = None) -> Any:
        """Write to the visitor; returns the message. `key` is its client_message_id."""
        sent = await self.ask(
            "message.send",
            conversation_id=conversation_id,
            content=content,
            client_message_id=key or uuid4().hex,
        )
        return sent["message"]

    async def contact_id(self, conversation_id: int) -> int:
        opened = await self.ask("conversation.open", conversation_id=conversation_id)
        contact_id: int = opened["conversation"]["contact"]["id"]
        return contact_id

    def messages(self, conversation_id: int) -> list[Frame]:
        """The events of a conversation's messages, as they came."""
        return [
            frame
            for frame in self.events
            if frame["type"] == "message.created" and frame["conversation_id"] == conversation_id
        ]

    async def hear(self, type: str, **fields: Any) -> Frame:
        """The next event of a type with these fields, numbered or not; others are skipped."""

        def fits(frame: Frame) -> bool:
            found = frame["data"] | {"conversation_id": frame["conversation_id"]}
            return bool(frame["type"] == type and fields.items() <= found.items())

        async with asyncio.timeout(PATIENCE_S):
            frame: Frame = await self._while_alive(self._next(fits))
            return frame

    async def _next(self, fits: Callable[[Frame], bool]) -> Frame:
        async with self._news:
            while True:
                for place in range(self._read, len(self.events)):
                    if fits(self.events[place]):
                        self._read = place + 1
                        return self.events[place]
                for frame in self.fleeting:
                    if fits(frame):
                        self.fleeting.remove(frame)
                        return frame
                await self._news.wait()

    async def _while_alive(self, waiting: Awaitable[Any]) -> Any:
        """What is awaited, unless the client's life ends before it."""
        assert self._life is not None
        task = asyncio.ensure_future(waiting)
        try:
            await asyncio.wait({task, self._life}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            self._life.result()
            raise ConnectionError("The server wants this client no more.")
        finally:
            task.cancel()

    async def _live(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                async with connect(
                    self._url, compression=None, ping_interval=None, proxy=None, close_timeout=1
                ) as socket:
                    self._socket = socket
                    await self._enter(socket)
                    async for text in socket:
                        await self._take(json.loads(text))
                code = socket.close_code
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 1006
            except (OSError, WebSocketException):
                code = None
            finally:
                self._online.clear()
            if code is not None:
                self.closes[code] += 1
            if code in FINAL:
                return
            await asyncio.sleep(RECONNECT_S)

    async def _enter(self, socket: ClientConnection) -> None:
        place = {} if self.after is None else {"epoch": self.epoch, "after": self.after}
        hello = {"id": 0, "type": "hello", "data": {"token": self._token, **place}}
        await socket.send(json.dumps(hello))
        welcome = json.loads(await socket.recv())["data"]
        self.me = welcome["agent"]
        if self.after is None:
            self.epoch, self.after = welcome["epoch"], welcome["head"]
        self._online.set()
        for frame, _ in list(self._asked.values()):
            await socket.send(frame)

    async def _take(self, frame: Frame) -> None:
        if "ok" in frame:
            _, future = self._asked.pop(frame["id"])
            if not future.done():  # nobody waits any more
                future.set_result(frame)
            return
        if frame["type"] == "resync":
            raise BrokenStream(f"resync after {self.after}: {frame}")
        if "seq" in frame:
            self._advance(frame)
            if frame["type"] == "head":
                return
            self.events.append(frame)
        else:
            self.fleeting.append(frame)
        for listener in self.listeners:
            listener(frame)
        async with self._news:
            self._news.notify_all()

    def _advance(self, frame: Frame) -> None:
        assert self.after is not None
        is_head = frame["type"] == "head"
        if frame["prev"] != self.after or frame["seq"] < self.after + (0 if is_head else 1):
            raise BrokenStream(f"{frame['type']} {frame['prev']} -> {frame['seq']} at {self.after}")
        self.after = frame["seq"]
