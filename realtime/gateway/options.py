"""Every number of the gateway, in seconds and bytes; the defaults are Centrifugo's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GatewayOptions:
    """Sources: Centrifugo v6 `client.*` and `websocket.*` settings, and the namespace `visitor`."""

    ping_interval: float = 25
    pong_timeout: float = 8
    """Shorter than the interval: a pong answers the latest ping only."""
    stale_close_delay: float = 10
    """How long a socket may stay open without a successful connect command."""
    expired_close_delay: float = 25
    """A client asks for its new token when the old one ends, so the end needs this grace."""
    expired_sub_close_delay: float = 25
    refused_close_delay: float = 5
    """After an error reply to connect nothing is answered any more; then the socket is cut."""
    close_deadline: float = 5
    """How long a closing socket may take to read what is queued and the close frame."""
    queue_max_bytes: int = 1024 * 1024
    message_max_bytes: int = 65_536
    channel_limit: int = 128
    channel_max_length: int = 255
    history_size: int = 200
    history_ttl: float = 24 * 3600
    """Read by the Streams implementation: older publications are not given for recovery."""
    recovery_limit: int = 300
