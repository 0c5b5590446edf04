"""One connection: what it may say when, and what it is told.

Source: centrifuge client.go, for commands, timers and positions.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol
from uuid import uuid4

import structlog

from realtime.gateway import admission, commands, metrics, namespace, replies
from realtime.gateway.codes import Close, CommandRefused, ConnectionRefused, Error, Unsubscribed
from realtime.gateway.heartbeat import Heartbeat
from realtime.gateway.options import GatewayOptions
from realtime.gateway.ports import Publication, Revoked, StreamPosition, Streams, Verifier
from realtime.gateway.recovery import find_missed
from realtime.gateway.registry import Registry
from realtime.gateway.subscription import Step, Subscription
from realtime.tokens import ConnectionClaims, SubscriptionClaims

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gateway:
    """What all connections of a process share."""

    registry: Registry
    verifier: Verifier
    streams: Streams
    options: GatewayOptions = field(default_factory=GatewayOptions)
    now: Callable[[], float] = time.time
    """The clock that tokens are measured by, in Unix seconds."""


class Sender(Protocol):
    """Where a session writes; `realtime.gateway.outbox.Outbox` is the real one."""

    size: int

    def put(self, message: replies.Message) -> bool: ...

    def close(self, code: int, reason: str, *, flush: bool) -> None: ...


class State(Enum):
    NEW = auto()
    CONNECTED = auto()
    REFUSED = auto()
    """Connect was answered with an error: nothing is read or said any more."""
    CLOSED = auto()


class Session:
    """Handles one command after the other, with publications and timers in between.

    So after every await the session may have been closed meanwhile.
    """

    __slots__ = (
        "_expiry",
        "_gateway",
        "_heartbeat",
        "_issued_at",
        "_sender",
        "_subscriptions",
        "client",
        "state",
        "user",
    )

    def __init__(self, gateway: Gateway, sender: Sender) -> None:
        self.client = str(uuid4())
        self.user = ""
        self.state = State.NEW
        self._gateway = gateway
        self._sender = sender
        self._issued_at = 0
        self._subscriptions: dict[str, Subscription] = {}
        self._heartbeat: Heartbeat | None = None
        self._expiry: asyncio.TimerHandle | None = self._close_after(
            gateway.options.stale_close_delay, Close.STALE
        )

    @property
    def queued_bytes(self) -> int:
        return self._sender.size

    async def receive(self, frame: str) -> None:
        """Handle a frame; never raises for what the client or a port did wrong."""
        try:
            for command in commands.parse_frame(frame):
                if self.state in (State.REFUSED, State.CLOSED):
                    return
                await self._handle(command)
        except ConnectionRefused as refusal:
            self._hang_up(refusal.close)
        except Revoked:
            self._hang_up(Close.REVOKED)
        except Exception:  # a port failed: this connection ends, and its client comes back
            log.exception("gateway_command_failed", client=self.client)
            self._hang_up(Close.SERVER_ERROR)

    def deliver(self, channel: str, publication: Publication, message: replies.Message) -> None:
        """Pass on a live publication, or end a subscription that has missed one before it."""
        subscription = self._subscriptions.get(channel)
        if subscription is None or subscription.hold(publication, message):
            return
        step = subscription.advance(publication)
        if step is Step.NEXT:
            self._write(message)
        elif step is Step.GAP:
            self._end_subscription(channel, Unsubscribed.INSUFFICIENT_STATE)

    def verify(self, channel: str, top: StreamPosition) -> None:
        """End a subscription that lags behind the stream's `top`."""
        subscription = self._subscriptions.get(channel)
        if subscription is not None and subscription.is_behind(top):
            self._end_subscription(channel, Unsubscribed.INSUFFICIENT_STATE)

    def close(self, code: int, reason: str) -> None:
        """Tell the client why and forget it; what is queued still goes out, unless it is slow."""
        if self.state is State.CLOSED:
            return
        self.end()
        metrics.CLOSES.labels(code).inc()
        self._sender.close(code, reason, flush=(code, reason) != Close.SLOW.value)

    def end(self) -> None:
        """Forget everything about the connection; safe to call again."""
        self.state = State.CLOSED
        _cancel(self._expiry)
        if self._heartbeat is not None:
            self._heartbeat.stop()
        self._gateway.registry.remove(self)
        while self._subscriptions:
            self._leave(next(iter(self._subscriptions)))

    async def _handle(self, command: commands.Command) -> None:
        if isinstance(command, commands.Connect):
            self._connect(command)
        elif self.state is State.NEW:
            raise ConnectionRefused(Close.BAD_REQUEST)
        elif isinstance(command, commands.Pong):
            if self._heartbeat is None or not self._heartbeat.receive_pong():
                raise ConnectionRefused(Close.BAD_REQUEST)
        elif isinstance(command, commands.Send):
            raise ConnectionRefused(Close.NOT_AVAILABLE)
        else:
            await self._answer(command)

    async def _answer(self, command: commands.Request) -> None:
        try:
            match command:
                case commands.Subscribe():
                    await self._subscribe(command)
                case commands.Unsubscribe():
                    self._leave(command.channel)
                    self._write(replies.unsubscribed(command.id))
                case commands.Refresh():
                    self._refresh(command)
                case commands.SubRefresh():
                    self._refresh_subscription(command)
                case commands.Publish():
                    namespace.refuse_publish(command)
                case commands.Read():
                    namespace.refuse_read(command)
                case commands.Rpc():
                    raise CommandRefused(Error.NOT_AVAILABLE)
        except CommandRefused as refusal:
            self._write_error(command.id, refusal.error)

    def _connect(self, command: commands.Connect) -> None:
        if self.state is not State.NEW:
            raise ConnectionRefused(Close.BAD_REQUEST)
        if self._gateway.registry.draining:
            raise ConnectionRefused(Close.SHUTDOWN)
        try:
            claims = admission.admit_connection(self._gateway.verifier, command)
        except CommandRefused as refusal:
            self.state = State.REFUSED
            _cancel(self._expiry)
            self._write_error(command.id, refusal.error)
        else:
            self._welcome(command.id, claims)

    def _welcome(self, number: int, claims: ConnectionClaims) -> None:
        options = self._gateway.options
        self.state = State.CONNECTED
        self.user = claims.user
        self._gateway.registry.add(self)
        ttl = self._accept(claims)
        self._write(replies.connected(number, self.client, ttl, options.ping_interval))
        self._heartbeat = Heartbeat(
            lambda: self._write(replies.PING),
            lambda: self._hang_up(Close.NO_PONG),
            interval=options.ping_interval,
            pong_timeout=options.pong_timeout,
        )

    def _refresh(self, command: commands.Refresh) -> None:
        claims = admission.admit_refresh(self._gateway.verifier, command, self.user)
        self._write(replies.refreshed(command.id, self._accept(claims)))

    def _accept(self, claims: ConnectionClaims) -> int | None:
        """Let the connection live as long as its new claims; returns the seconds until then."""
        self._issued_at = claims.issued_at
        _cancel(self._expiry)
        self._expiry = None
        ttl = self._ttl(claims.expires_at)
        if ttl is not None:
            delay = self._gateway.options.expired_close_delay
            self._expiry = self._close_after(ttl + delay, Close.EXPIRED)
        return ttl

    async def _subscribe(self, command: commands.Subscribe) -> None:
        channel = command.channel
        claims = self._admit(command)
        self._subscriptions[channel] = Subscription()
        # Before the stream is read, so that nothing falls between what is read and what is live.
        self._gateway.registry.listen(channel, self)
        try:
            top, missed = await self._locate(command, min(self._issued_at, claims.issued_at))
        except BaseException:
            self._leave(channel)
            raise
        if self.state is State.CONNECTED:
            self._start(command, claims, top, missed)

    def _admit(self, command: commands.Subscribe) -> SubscriptionClaims:
        options = self._gateway.options
        if len(command.channel.encode("utf-8", "replace")) > options.channel_max_length:
            raise CommandRefused(Error.BAD_REQUEST)
        if command.channel in self._subscriptions:
            raise CommandRefused(Error.ALREADY_SUBSCRIBED)
        if len(self._subscriptions) >= options.channel_limit:
            raise CommandRefused(Error.LIMIT_EXCEEDED)
        verifier = self._gateway.verifier
        return admission.admit_subscription(verifier, command, self.user, self.client)

    async def _locate(
        self, command: commands.Subscribe, issued_at: int
    ) -> tuple[StreamPosition, Sequence[Publication] | None]:
        """The stream's top, and what the client has missed of it where that can be recovered."""
        streams = self._gateway.streams
        top = await streams.position(command.channel, issued_at)
        if top is None:
            raise CommandRefused(Error.PERMISSION_DENIED)
        if not command.recover:
            return top, None
        missed = await find_missed(streams, command, top, self._gateway.options)
        metrics.RECOVERIES.labels(missed is not None).inc()
        if missed is None and command.reject_unrecovered:
            raise CommandRefused(Error.UNRECOVERABLE_POSITION)
        return top, missed

    def _start(
        self,
        command: commands.Subscribe,
        claims: SubscriptionClaims,
        top: StreamPosition,
        missed: Sequence[Publication] | None,
    ) -> None:
        """Answer first, then deliver what was published while the stream was being read."""
        # A client that recovers continues from its own position, which each publication moves.
        since = top if missed is None else StreamPosition(command.offset, top.epoch)
        ttl = self._arm(command.channel, claims)
        self._write(
            replies.subscribed(command.id, since, ttl, recovering=command.recover, recovered=missed)
        )
        subscription = self._subscriptions.get(command.channel)
        if subscription is None:  # too slow to take the answer
            return
        self._gateway.registry.join(command.channel, self)
        for publication, message in subscription.start(top):
            self.deliver(command.channel, publication, message)

    def _refresh_subscription(self, command: commands.SubRefresh) -> None:
        if command.channel not in self._subscriptions:
            raise CommandRefused(Error.PERMISSION_DENIED)
        verifier = self._gateway.verifier
        claims = admission.admit_sub_refresh(verifier, command, self.user, self.client)
        self._write(replies.sub_refreshed(command.id, self._arm(command.channel, claims)))

    def _arm(self, channel: str, claims: SubscriptionClaims) -> int | None:
        """Let the subscription live as long as its claims; returns the seconds until then."""
        subscription = self._subscriptions[channel]
        _cancel(subscription.expiry)
        subscription.expiry = None
        ttl = self._ttl(claims.expires_at)
        if ttl is not None:
            subscription.expiry = asyncio.get_running_loop().call_later(
                ttl + self._gateway.options.expired_sub_close_delay,
                self._end_subscription,
                channel,
                Unsubscribed.EXPIRED,
            )
        return ttl

    def _end_subscription(self, channel: str, why: Unsubscribed) -> None:
        self._leave(channel)
        metrics.UNSUBSCRIBES.labels(why.value[0]).inc()
        self._write(replies.unsubscribe_push(channel, why))

    def _leave(self, channel: str) -> None:
        subscription = self._subscriptions.pop(channel, None)
        if subscription is not None:
            _cancel(subscription.expiry)
            self._gateway.registry.leave(channel, self)

    def _ttl(self, expires_at: int | None) -> int | None:
        return None if expires_at is None else expires_at - int(self._gateway.now())

    def _close_after(self, delay: float, close: Close) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(delay, self._hang_up, close)

    def _write_error(self, number: int, error: Error) -> None:
        metrics.ERRORS.labels(error.value[0]).inc()
        self._write(replies.error(number, error))

    def _write(self, message: replies.Message) -> None:
        if not self._sender.put(message):
            self._hang_up(Close.SLOW)

    def _hang_up(self, close: Close) -> None:
        self.close(*close.value)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
