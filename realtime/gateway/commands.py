"""Frames from the client, as typed commands.

Source: centrifugal/protocol, definitions/client.proto. Whatever the official clients never send is
refused here, so that nothing after this module sees a field of the wrong type.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from realtime.gateway.codes import Close, ConnectionRefused

T = TypeVar("T", str, bool, int)

MAX_ID = 2**32 - 1
MAX_OFFSET = 2**64 - 1
DELTA_TYPES = ("", "fossil")
FLAG_REJECT_UNRECOVERED = 2
"""Answer error 112 where recovery fails (centrifuge-js `getState`)."""


@dataclass(frozen=True, slots=True)
class Connect:
    id: int
    token: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """`kind` and `filtered` tell of what the namespace does not serve: maps, polls, tag filters."""

    id: int
    channel: str
    token: str
    recover: bool
    offset: int
    epoch: str
    kind: int
    filtered: bool
    reject_unrecovered: bool


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    id: int
    channel: str


@dataclass(frozen=True, slots=True)
class Refresh:
    id: int
    token: str


@dataclass(frozen=True, slots=True)
class SubRefresh:
    id: int
    channel: str
    token: str


@dataclass(frozen=True, slots=True)
class Publish:
    """`data` is None where it is absent; the namespace takes JSON objects only."""

    id: int
    channel: str
    data: Any


@dataclass(frozen=True, slots=True)
class Read:
    """presence, presence_stats and history, all closed to clients."""

    id: int
    channel: str


@dataclass(frozen=True, slots=True)
class Rpc:
    id: int


@dataclass(frozen=True, slots=True)
class Send:
    """A message that expects no answer."""


@dataclass(frozen=True, slots=True)
class Pong:
    """`{}`, the answer to a ping."""


Request = Subscribe | Unsubscribe | Refresh | SubRefresh | Publish | Read | Rpc
Command = Connect | Request | Send | Pong


def parse_frame(frame: str) -> Iterator[Command]:
    """The frame's commands, one a line; a bad line raises when its turn comes, not before.

    One newline at the end is tolerated; a blank line, so also an empty frame, is not. What follows
    an object on its line is ignored, as Centrifugo does.
    """
    lines = frame.split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return map(_parse, lines)


def _parse(line: str) -> Command:
    try:
        value, _ = _DECODER.raw_decode(line.lstrip(" \t\r"))
    except (ValueError, RecursionError) as error:
        raise ConnectionRefused(Close.BAD_REQUEST) from error
    command = _Fields(value)
    if not value:
        return Pong()
    if "send" in value:
        return Send()
    number = command.whole("id", MAX_ID)
    for method, build in _METHODS.items():
        if number and command.raw(method) is not None:
            return build(number, _Fields(command.raw(method)))
    raise ConnectionRefused(Close.BAD_REQUEST)


class _Fields:
    """A JSON object read by type; an absent or null field is that type's zero value."""

    __slots__ = ("_values",)

    def __init__(self, values: Any) -> None:
        if type(values) is not dict:
            raise ConnectionRefused(Close.BAD_REQUEST)
        self._values = values

    def raw(self, name: str) -> Any:
        return self._values.get(name)

    def text(self, name: str) -> str:
        return self._typed(name, zero="")

    def flag(self, name: str) -> bool:
        return self._typed(name, zero=False)

    def whole(self, name: str, most: int) -> int:
        value = self._typed(name, zero=0)
        if not 0 <= value <= most:
            raise ConnectionRefused(Close.BAD_REQUEST)
        return value

    def channel(self) -> str:
        channel = self.text("channel")
        if not channel:
            raise ConnectionRefused(Close.BAD_REQUEST)
        return channel

    def _typed(self, name: str, *, zero: T) -> T:
        value = self._values.get(name)
        if value is None:
            return zero
        # Not isinstance: true is no number.
        if type(value) is not type(zero):
            raise ConnectionRefused(Close.BAD_REQUEST)
        return value


def _subscribe(number: int, fields: _Fields) -> Subscribe:
    if fields.text("delta") not in DELTA_TYPES:
        raise ConnectionRefused(Close.BAD_REQUEST)
    return Subscribe(
        id=number,
        channel=fields.channel(),
        token=fields.text("token"),
        recover=fields.flag("recover"),
        offset=fields.whole("offset", MAX_OFFSET),
        epoch=fields.text("epoch"),
        kind=fields.whole("type", MAX_ID),
        filtered=fields.raw("tf") is not None,
        reject_unrecovered=bool(fields.whole("flag", MAX_ID) & FLAG_REJECT_UNRECOVERED),
    )


def _read(number: int, fields: _Fields) -> Read:
    return Read(number, fields.channel())


_DECODER = json.JSONDecoder()
_METHODS: dict[str, Callable[[int, _Fields], Command]] = {
    "connect": lambda number, fields: Connect(number, fields.text("token")),
    "subscribe": _subscribe,
    "unsubscribe": lambda number, fields: Unsubscribe(number, fields.channel()),
    "refresh": lambda number, fields: Refresh(number, fields.text("token")),
    "sub_refresh": lambda number, fields: SubRefresh(
        number, fields.channel(), fields.text("token")
    ),
    "publish": lambda number, fields: Publish(number, fields.channel(), fields.raw("data")),
    "presence": _read,
    "presence_stats": _read,
    "history": _read,
    "rpc": lambda number, _fields: Rpc(number),
}
