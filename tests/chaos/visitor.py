"""A visitor who writes by REST until each message is acknowledged, and listens in several tabs."""

import asyncio
import json
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

RETRY_S = 0.05
CALL_TIMEOUT_S = 5
RESUBSCRIBE = 2500

Frame = dict[str, Any]


class BrokenStream(AssertionError):
    """A publication was missing, doubled or out of its place, which its offset tells."""


class Tab:
    """A page's view: a bootstrap's messages, then the channel from the bootstrap's position on.

    Raw Centrifuge frames, without the official clients' lenience: each offset comes exactly once,
    in order, and every recovery succeeds.
    """

    def __init__(self, visitor: "Visitor") -> None:
        self._visitor = visitor
        self._boot: Frame = {}
        self._socket: ClientConnection | None = None
        self.offset = 0
        self.epoch = ""
        self.snapshot: list[int] = []
        self.heard: list[int] = []
        self.closes: Counter[int] = Counter()

    async def open(self) -> None:
        while "recovery" not in self._boot:  # where the stream was too busy to say where it is
            self._boot = await self._visitor.call("/v1/webchat/bootstrap")
        position = self._boot["recovery"]
        self.offset, self.epoch = position["offset"], position["epoch"]
        self.snapshot = [message["id"] for message in self._boot["messages"]]

    async def listen(self) -> None:
        """Stay subscribed; ends with the first fault."""
        while True:
            code = await self._listen_once()
            if code is not None:
                self.closes[code] += 1
                assert code < 3500 or 4000 <= code < 4500, f"closed for good: {code}"
            await asyncio.sleep(RETRY_S)

    def drop(self) -> None:
        """Lose the line, without a word to the server."""
        if self._socket is not None:
            self._socket.transport.abort()

    def stop_listening(self) -> None:
        """Leave unread whatever the server sends, until the line is lost."""
        if self._socket is not None:
            self._socket.transport.pause_reading()

    async def _listen_once(self) -> int | None:
        """The code by which the connection ended; None where there was none."""
        try:
            async with connect(
                self._boot["centrifugo_url"],
                compression=None,
                ping_interval=None,
                proxy=None,
                close_timeout=1,
            ) as socket:
                self._socket = socket
                await self._send(socket, {"id": 1, "connect": self._token("connection")})
                await self._subscribe(socket)
                async for text in socket:
                    assert isinstance(text, str)
                    for line in text.split("\n"):
                        await self._take(socket, json.loads(line))
            return socket.close_code
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006
        except (OSError, WebSocketException):
            return None

    async def _subscribe(self, socket: ClientConnection) -> None:
        subscribe = {
            "channel": self._boot["visitor_channel"],
            **self._token("subscription"),
            "recover": True,
            "offset": self.offset,
            "epoch": self.epoch,
        }
        await self._send(socket, {"id": 2, "subscribe": subscribe})

    async def _take(self, socket: ClientConnection, frame: Frame) -> None:
        if not frame:
            await self._send(socket, {})
        elif "error" in frame:
            raise BrokenStream(f"refused: {frame}")
        elif "subscribe" in frame:
            self._resume(frame["subscribe"])
        elif "unsubscribe" in frame.get("push", {}):
            if frame["push"]["unsubscribe"]["code"] != RESUBSCRIBE:
                raise BrokenStream(f"unsubscribed: {frame}")
            await self._subscribe(socket)
        elif "pub" in frame.get("push", {}):
            self._advance(frame["push"]["pub"])

    def _resume(self, answer: Frame) -> None:
        if not answer.get("recovered") or answer["epoch"] != self.epoch:
            raise BrokenStream(f"not recovered from {self.offset}: {answer}")
        for publication in answer.get("publications", []):
            self._advance(publication)

    def _advance(self, publication: Frame) -> None:
        envelope = publication["data"]
        offset = publication.get("offset", 0)
        if not offset:
            return
        if offset != self.offset + 1 or envelope["seq"] != offset:
            raise BrokenStream(f"{envelope['type']} has {offset} after {self.offset}")
        self.offset = offset
        if envelope["type"] == "message.new":
            self.heard.append(envelope["data"]["message_id"])

    def _token(self, kind: str) -> Frame:
        return {"token": self._boot[f"{kind}_token"]}

    async def _send(self, socket: ClientConnection, frame: Frame) -> None:
        await socket.send(json.dumps(frame))


class Visitor:
    """`acknowledged` has the id of every message that the server has taken, by the client's id."""

    def __init__(self, base_url: str, widget_key: str, random: Random) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url, headers={"Origin": base_url}, timeout=CALL_TIMEOUT_S, trust_env=False
        )
        self._widget_key = widget_key
        self._random = random
        self._token = ""
        self.visitor_id = str(uuid4())
        self.engagement_id = 0
        self.tabs: list[Tab] = []
        self.acknowledged: dict[str, int] = {}
        self.failed = 0

    async def begin(self) -> None:
        body = {"widget_key": self._widget_key, "visitor_id": self.visitor_id}
        answer = await self.call("/api/v1/auth/widget/session", body)
        self._token = answer["session_token"]

    async def open_tab(self) -> Tab:
        tab = Tab(self)
        await tab.open()
        self.tabs.append(tab)
        return tab

    async def write(self, content: str) -> None:
        """Send a message, now and then twice at once, as an impatient page does."""
        key = f"cm-{uuid4()}"
        body = {
            "engagement_id": self.engagement_id,
            "content": content,
            "client_message_id": key,
        }
        copies = 2 if self._random.random() < 0.1 else 1
        answers = await asyncio.gather(
            *(self.call("/v1/webchat/messages", body) for _ in range(copies))
        )
        ids = {answer["message_id"] for answer in answers}
        assert len(ids) == 1, f"one message got the ids {ids}"
        self.engagement_id = answers[0]["engagement_id"]
        self.acknowledged[key] = ids.pop()

    async def call(self, path: str, body: Any = None) -> Any:
        """The answer to a call, which is made again and again while the server is away."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        while True:
            with suppress(httpx.TransportError):
                response = await self._http.post(path, json=body, headers=headers)
                if response.is_success:
                    return response.json()
                # A server that is being stopped may end what it does with that.
                assert response.status_code == 500, f"{response.status_code} {response.text}"
                self.failed += 1
            await asyncio.sleep(RETRY_S)

    async def aclose(self) -> None:
        await self._http.aclose()
