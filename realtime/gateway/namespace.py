"""The one namespace, `visitor`: a subscription token opens a channel, and nothing else is open.

The same answers as Centrifugo's for a namespace with history, forced recovery, presence and every
`allow_*` off (internal/client/handler.go; internal/config/container.go for the names).
"""

from realtime.gateway.codes import CommandRefused, Error
from realtime.gateway.commands import Publish, Read, Subscribe

NAME = "visitor"
SHARED_POLL = 4


def check_subscribe(command: Subscribe) -> None:
    """Raises CommandRefused for what no token could open."""
    if command.kind == SHARED_POLL:
        raise CommandRefused(Error.NOT_AVAILABLE)
    _check_name(command.channel)
    if command.kind or not command.token or not _is_ours(command.channel):
        raise CommandRefused(Error.PERMISSION_DENIED)
    if command.filtered:
        raise CommandRefused(Error.BAD_REQUEST)


def refuse_publish(command: Publish) -> None:
    """Raises CommandRefused: visitors write through the REST API."""
    _check_name(command.channel)
    if _is_ours(command.channel) and not isinstance(command.data, dict):
        raise CommandRefused(Error.BAD_REQUEST)
    if command.data is None:
        raise CommandRefused(Error.BAD_REQUEST)
    raise CommandRefused(Error.PERMISSION_DENIED)


def refuse_read(command: Read) -> None:
    """Raises CommandRefused: presence and history are the server's."""
    _check_name(command.channel)
    ours = _is_ours(command.channel)
    raise CommandRefused(Error.PERMISSION_DENIED if ours else Error.NOT_AVAILABLE)


def _check_name(channel: str) -> None:
    namespace, boundary, _ = channel.removeprefix("$").partition(":")
    if boundary and namespace not in ("", NAME):
        raise CommandRefused(Error.UNKNOWN_CHANNEL)
    if not channel.isascii():
        raise CommandRefused(Error.BAD_REQUEST)


def _is_ours(channel: str) -> bool:
    return channel.startswith(f"{NAME}:")
