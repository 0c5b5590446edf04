"""Frames to the client. Zero values are left out, as Centrifugo leaves them out of its JSON.

A result key is always there, even when empty, because the official clients index it.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from realtime.gateway.codes import Error, Unsubscribed
from realtime.gateway.ports import Publication, StreamPosition


class Message(NamedTuple):
    """One line for the client, and its size in UTF-8; shared by all connections that get it."""

    text: str
    size: int


PING = Message("{}", 2)


def error(number: int, refusal: Error) -> Message:
    code, message = refusal.value
    return _message({"id": number, "error": {"code": code, "message": message}})


def connected(number: int, client: str, ttl: int | None, ping: float) -> Message:
    """`ping` in whole seconds at least: a client that is told 0 doesn't watch for pings at all."""
    liveness = {"ping": max(1, round(ping)), "pong": True}
    return _message({"id": number, "connect": {"client": client, **_expiry(ttl), **liveness}})


def subscribed(
    number: int,
    position: StreamPosition,
    ttl: int | None,
    *,
    recovering: bool,
    recovered: Sequence[Publication] | None,
) -> Message:
    """`position` is what the client continues from: its own where it recovered, else the top."""
    result = {"recoverable": True, "positioned": True, **_expiry(ttl)}
    if position.epoch:
        result["epoch"] = position.epoch
    if position.offset:
        result["offset"] = position.offset
    if recovering:
        result["was_recovering"] = True
    if recovered is not None:
        result["recovered"] = True
    publications = ",".join(_publication(publication) for publication in recovered or ())
    head = json.dumps(result, separators=(",", ":"))[:-1]
    tail = f',"publications":[{publications}]' if publications else ""
    text = f'{{"id":{number},"subscribe":{head}{tail}}}}}'
    return Message(text, len(text.encode()))


def unsubscribed(number: int) -> Message:
    return _message({"id": number, "unsubscribe": {}})


def refreshed(number: int, ttl: int | None) -> Message:
    return _message({"id": number, "refresh": _expiry(ttl)})


def sub_refreshed(number: int, ttl: int | None) -> Message:
    return _message({"id": number, "sub_refresh": _expiry(ttl)})


def unsubscribe_push(channel: str, why: Unsubscribed) -> Message:
    code, reason = why.value
    unsubscribe = {"code": code, "reason": reason}
    return _message({"push": {"channel": channel, "unsubscribe": unsubscribe}})


def publication_push(channel: str, publication: Publication) -> Message:
    """Encoded once per publication and channel, never per connection."""
    # Centrifugo names the epoch on a stream's first publication, for who subscribed before it.
    epoch = publication.epoch if publication.offset == 1 else ""
    body = _publication(publication, epoch)
    text = f'{{"push":{{"channel":{json.dumps(channel)},"pub":{body}}}}}'
    return Message(text, len(text.encode()))


def _publication(publication: Publication, epoch: str = "") -> str:
    # A newline would end the line that the client parses; in JSON it can only be white space.
    data = publication.data.decode().replace("\n", " ")
    offset = f',"offset":{publication.offset}' if publication.offset else ""
    named = f',"epoch":{json.dumps(epoch)}' if epoch else ""
    return f'{{"data":{data}{offset}{named}}}'


def _expiry(ttl: int | None) -> dict[str, Any]:
    return {} if ttl is None else {"expires": True, "ttl": ttl}


def _message(reply: dict[str, Any]) -> Message:
    text = json.dumps(reply, separators=(",", ":"))
    return Message(text, len(text))  # json.dumps escapes to ASCII
