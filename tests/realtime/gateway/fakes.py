"""The gateway's ports in memory, and the two ends of a session without a server."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from asgiref.testing import ApplicationCommunicator

from realtime.gateway.consumer import GatewayConsumer
from realtime.gateway.options import GatewayOptions
from realtime.gateway.ports import Publication, Revoked, StreamPosition
from realtime.gateway.registry import Registry
from realtime.gateway.replies import Message
from realtime.gateway.session import Gateway
from realtime.tokens import ConnectionClaims, SubscriptionClaims, TokenExpired, TokenInvalid

EPOCH = "epoch-1"
SHORT = GatewayOptions(
    ping_interval=30,
    pong_timeout=10,
    stale_close_delay=30,
    expired_close_delay=0.05,
    expired_sub_close_delay=0.05,
    refused_close_delay=0.05,
    close_deadline=0.05,
)


class MemoryVerifier:
    """Reads `connection:{user}` and `subscription:{user}:{channel}`, then `key=value` after a `|`.

    Keys: `ttl` in seconds from `now`, `never`, `iat`, `client`; anything else is not a token.
    """

    def __init__(self, now: float = 1_000) -> None:
        self.now = now

    def connection(self, token: str) -> ConnectionClaims:
        kind, user, _, options = self._read(token)
        if kind != "connection":
            raise TokenInvalid
        return ConnectionClaims(user, self._expiry(options), int(options.get("iat", 900)))

    def subscription(self, token: str) -> SubscriptionClaims:
        kind, user, channel, options = self._read(token)
        if kind != "subscription":
            raise TokenInvalid
        return SubscriptionClaims(
            user,
            channel,
            self._expiry(options),
            int(options.get("iat", 900)),
            options.get("client"),
        )

    def _read(self, token: str) -> tuple[str, str, str, dict[str, str]]:
        body, _, tail = token.partition("|")
        kind, _, rest = body.partition(":")
        user, _, channel = rest.partition(":")
        return kind, user, channel, dict(pair.split("=") for pair in tail.split(",") if pair)

    def _expiry(self, options: dict[str, str]) -> int | None:
        if "never" in options:
            return None
        expires_at = int(self.now) + int(options.get("ttl", 3600))
        if expires_at <= self.now:
            raise TokenExpired
        return expires_at


def connection_token(user: str = "v1", **options: Any) -> str:
    return f"connection:{user}|" + _options(options)


def subscription_token(channel: str = "visitor:v1", user: str = "v1", **options: Any) -> str:
    return f"subscription:{user}:{channel}|" + _options(options)


def _options(options: dict[str, Any]) -> str:
    return ",".join(f"{key}={value}" for key, value in options.items())


@dataclass
class MemoryStreams:
    """Streams that any channel `visitor:*` has; `window` is what can still be recovered."""

    epoch: str = EPOCH
    window: int = 200
    stored: defaultdict[str, list[Publication]] = field(default_factory=lambda: defaultdict(list))
    revoked_at: dict[str, int] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    error: Exception | None = None

    def append(self, channel: str, data: dict[str, Any]) -> Publication:
        offset = len(self.stored[channel]) + 1
        publication = Publication(offset, json.dumps(data).encode(), self.epoch)
        self.stored[channel].append(publication)
        return publication

    async def position(self, channel: str, issued_at: int) -> StreamPosition | None:
        self.asked.append(("position", channel, issued_at))
        top = len(self.stored[channel])
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        if issued_at <= self.revoked_at.get(channel, -1):
            raise Revoked
        return None if channel in self.missing else StreamPosition(top, self.epoch)

    async def since(self, channel: str, offset: int, limit: int) -> Sequence[Publication]:
        self.asked.append(("since", channel, offset, limit))
        found = self.stored[channel][offset:][:limit]
        oldest = len(self.stored[channel]) - self.window
        return [publication for publication in found if publication.offset > oldest]


@dataclass
class RecordingWatch:
    seen: list[tuple[str, str, str]] = field(default_factory=list)

    def visitor_connected(self, user: str, channel: str) -> None:
        self.seen.append(("connected", user, channel))

    def visitor_disconnected(self, user: str, channel: str) -> None:
        self.seen.append(("disconnected", user, channel))


@dataclass
class RecordingSender:
    """`closed` is (code, reason, whether the queue was to be flushed)."""

    messages: list[Message] = field(default_factory=list)
    closed: tuple[int, str, bool] | None = None
    size: int = 0
    limit: int = 2**20

    def put(self, message: Message) -> bool:
        if self.closed is None:
            assert "\n" not in message.text
            assert len(message.text.encode()) == message.size
            self.messages.append(message)
            self.size += message.size
        return self.size <= self.limit

    def close(self, code: int, reason: str, *, flush: bool) -> None:
        self.closed = (code, reason, flush)

    @property
    def replies(self) -> list[Any]:
        return [json.loads(message.text) for message in self.messages]

    def take(self) -> list[Any]:
        taken = self.replies
        self.messages.clear()
        return taken


@dataclass
class World:
    """A process with the ports in memory."""

    options: GatewayOptions = SHORT
    streams: MemoryStreams = field(default_factory=MemoryStreams)
    verifier: MemoryVerifier = field(default_factory=MemoryVerifier)
    watch: RecordingWatch = field(default_factory=RecordingWatch)

    def __post_init__(self) -> None:
        self.registry = Registry(self.watch)
        self.gateway = Gateway(
            self.registry, self.verifier, self.streams, self.options, lambda: self.verifier.now
        )

    def publish(self, channel: str, **data: Any) -> Publication:
        """Store, then deliver, as the product does after a commit."""
        publication = self.streams.append(channel, data)
        self.registry.publish(channel, publication)
        return publication


class Socket:
    """A client's end of one connection to the consumer, without a server in between."""

    def __init__(self, world: World) -> None:
        app: Any = GatewayConsumer.as_asgi(gateway=world.gateway)
        self._app = ApplicationCommunicator(app, {"type": "websocket", "path": "/"})

    async def __aenter__(self) -> Self:
        await self._app.send_input({"type": "websocket.connect"})
        accepted = await self._app.receive_output()
        assert accepted == {"type": "websocket.accept"}
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._app.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._app.wait()

    async def send(self, frame: str | bytes | dict[str, Any]) -> None:
        text = json.dumps(frame) if isinstance(frame, dict) else frame
        key = "bytes" if isinstance(text, bytes) else "text"
        await self._app.send_input({"type": "websocket.receive", key: text})

    async def receive(self) -> list[Any]:
        """The replies of the next frame."""
        event = await self._app.receive_output()
        assert event["type"] == "websocket.send", event
        return [json.loads(line) for line in event["text"].split("\n")]

    async def receive_close(self) -> tuple[int, str]:
        event = await self._app.receive_output()
        assert event["type"] == "websocket.close", event
        return event["code"], event["reason"]

    async def hears_nothing(self, within: float = 0.02) -> bool:
        return bool(await self._app.receive_nothing(timeout=within))

    async def ended(self) -> bool:
        """Whether the application returned by itself."""
        await asyncio.wait_for(asyncio.shield(self._app.future), 1)
        return not self._app.future.cancelled()
