"""What the gateway asks of the rest of the product, and the facts that pass between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from realtime.tokens import ConnectionClaims, SubscriptionClaims


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """The top of a channel's stream. The epoch is opaque; offsets of two epochs don't compare."""

    offset: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Publication:
    """One event on a channel; `data` is JSON text in UTF-8 and goes out as it is.

    `offset` counts 1, 2, 3 per channel; 0 is an ephemeral publication, outside of the stream. Where
    `epoch` is given, a subscriber of another epoch is told to subscribe again.
    """

    offset: int
    data: bytes
    epoch: str = ""


@dataclass(frozen=True, slots=True)
class PresenceStats:
    """Connections that are subscribed to a channel, and the different users among them."""

    num_clients: int
    num_users: int


class Revoked(Exception):
    """The visitor's tokens issued up to some moment no longer count, and these are among them."""


class Verifier(Protocol):
    """Both raise TokenExpired or TokenInvalid of `realtime.tokens`; called on the event loop."""

    def connection(self, token: str) -> ConnectionClaims: ...

    def subscription(self, token: str) -> SubscriptionClaims: ...


class Streams(Protocol):
    """The stored streams. Any other error closes the connection 3004, and the client comes back.

    A publication must be readable here before it is handed to `Registry.publish`.
    """

    async def position(self, channel: str, issued_at: int) -> StreamPosition | None:
        """The stream's top, None when there is no such channel.

        `issued_at` is the Unix time of the older of the two tokens in use; raises Revoked when they
        are refused.
        """

    async def since(self, channel: str, offset: int, limit: int) -> Sequence[Publication]:
        """The `limit` publications after `offset` in order, less those no longer in the window."""


class Watch(Protocol):
    """Told when a channel gets its first subscriber in this process and loses its last.

    Called on the event loop: must return at once and must not raise.
    """

    def visitor_connected(self, user: str, channel: str) -> None: ...

    def visitor_disconnected(self, user: str, channel: str) -> None: ...
