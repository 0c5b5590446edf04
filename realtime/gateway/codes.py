"""Error replies, close codes and unsubscribe codes, with what the official clients do on each.

Numbers and texts are those of centrifugal/centrifuge: errors.go, disconnect.go, unsubscribe.go. A
reason stays plain words: centrifuge-js parses one that happens to be JSON.
"""

from enum import Enum


class Error(Enum):
    """(code, message) of an error reply. All but TOKEN_EXPIRED end what was asked for."""

    UNKNOWN_CHANNEL = (102, "unknown channel")
    """No such namespace."""
    PERMISSION_DENIED = (103, "permission denied")
    ALREADY_SUBSCRIBED = (105, "already subscribed")
    LIMIT_EXCEEDED = (106, "limit exceeded")
    """Too many channels on one connection."""
    BAD_REQUEST = (107, "bad request")
    NOT_AVAILABLE = (108, "not available")
    TOKEN_EXPIRED = (109, "token expired")
    """The client drops its token, asks for another one and tries again."""
    UNRECOVERABLE_POSITION = (112, "unrecoverable position")
    """Sent only to clients that ask for it: they load their state anew and subscribe again."""


class Close(Enum):
    """(code, reason) of a close frame. 3000-3499 reconnect; 3500-3999 and 4500-4999 are final."""

    MESSAGE_TOO_BIG = (1009, "")
    """The one code below 3000 that is final."""
    SHUTDOWN = (3001, "shutdown")
    SERVER_ERROR = (3004, "internal server error")
    EXPIRED = (3005, "connection expired")
    SUBSCRIPTION_EXPIRED = (3006, "subscription expired")
    SLOW = (3008, "slow")
    """The client did not read; it reconnects and recovers what it missed."""
    NO_PONG = (3012, "no pong")
    INVALID_TOKEN = (3500, "invalid token")
    BAD_REQUEST = (3501, "bad request")
    """A frame that no official client sends."""
    STALE = (3502, "stale")
    PERMISSION_DENIED = (3507, "permission denied")
    NOT_AVAILABLE = (3508, "not available")
    REVOKED = (4501, "session revoked")
    """This product's own: the visitor's session is over, so the widget must not come back."""


class Unsubscribed(Enum):
    """(code, reason) of an unsubscribe push. From 2500 on the client subscribes again."""

    INSUFFICIENT_STATE = (2500, "insufficient state")
    """A publication is missing; subscribing again recovers it."""
    EXPIRED = (2501, "subscription expired")


class CommandRefused(Exception):
    """Answer the command with this error."""

    def __init__(self, error: Error) -> None:
        self.error = error
        super().__init__(error.name)


class ConnectionRefused(Exception):
    """Close the connection with this code."""

    def __init__(self, close: Close) -> None:
        self.close = close
        super().__init__(close.name)
