"""Raw frames and what exactly comes back, from either backend.

The expectations are Centrifugo 6.9.6's answers; the gateway gives the same ones.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import jwt
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from realtime import tokens
from tests.contract.backends import Backend, connection_token, new_visitor, subscription_token

pytestmark = pytest.mark.contract

Frame = str | bytes | dict[str, Any]
LAST = 4_000_000_000
RESULTS = ("connect", "subscribe", "refresh", "sub_refresh")
MESSAGES = {
    102: "unknown channel",
    103: "permission denied",
    105: "already subscribed",
    107: "bad request",
    108: "not available",
    109: "token expired",
    112: "unrecoverable position",
    3005: "connection expired",
    3006: "subscription expired",
    3500: "invalid token",
    3501: "bad request",
    3507: "permission denied",
    3508: "not available",
}


class Visitor:
    """A connection that notes what it hears; `me` is its channel."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.id = new_visitor()
        self.me = f"visitor:{self.id}"
        self.client = ""

    async def say(self, *frames: Frame, answers: list[Any]) -> None:
        """Send the frames and expect these answers, the last of which may be a close."""
        for frame in frames:
            await self.socket.send(as_text(frame))
        closes = bool(answers) and isinstance(answers[-1], tuple)
        if not closes:
            await self.socket.send(as_text(unsubscribe("visitor:last", LAST)))
        async with asyncio.timeout(5):
            heard: list[Any] = [reply async for reply in self._hear()]
            if closes:
                heard.append((self.socket.close_code, self.socket.close_reason))
        assert heard == answers

    async def _hear(self) -> AsyncIterator[dict[str, Any]]:
        with suppress(ConnectionClosed):
            while True:
                for line in str(await self.socket.recv()).split("\n"):
                    reply = json.loads(line)
                    if reply.get("id") == LAST:
                        return
                    yield self._without_names(reply)

    async def connect(self) -> None:
        await self.say(self.connecting(), answers=[CONNECTED])

    def connecting(self, number: int = 1, ttl_s: int = 3600) -> dict[str, Any]:
        return {"id": number, "connect": {"token": connection_token(self.id, ttl_s)}}

    def subscribing(self, number: int = 2, **fields: Any) -> dict[str, Any]:
        token = subscription_token(self.id)
        return {"id": number, "subscribe": {"channel": self.me, "token": token, **fields}}

    def _without_names(self, reply: dict[str, Any]) -> dict[str, Any]:
        """Leave out what differs between two runs: ids, versions, epochs, a second more or less."""
        for result in (reply.get(method, {}) for method in RESULTS):
            self.client = result.pop("client", self.client)
            result.pop("version", None)
            if "epoch" in result:
                result["epoch"] = "E"
            if "ttl" in result:
                result["ttl"] = round(result["ttl"], -1)
        return reply


def unsubscribe(channel: str, number: int = 3) -> dict[str, Any]:
    return {"id": number, "unsubscribe": {"channel": channel}}


def error(code: int, number: int = 3) -> dict[str, Any]:
    return {"id": number, "error": {"code": code, "message": MESSAGES[code]}}


def closed(code: int) -> tuple[int, str]:
    return code, MESSAGES[code]


DONE = {"id": 3, "unsubscribe": {}}
CONNECTED = {"id": 1, "connect": {"expires": True, "ttl": 3600, "ping": 25, "pong": True}}
SUBSCRIBED = {
    "id": 2,
    "subscribe": {
        "expires": True,
        "ttl": 3600,
        "recoverable": True,
        "positioned": True,
        "epoch": "E",
    },
}


def subscribed(**fields: Any) -> dict[str, Any]:
    return {"id": 2, "subscribe": SUBSCRIBED["subscribe"] | fields}  # type: ignore[operator]


def signed(kind: str, visitor: str, **changes: Any) -> str:
    """A token with other claims than the product would issue."""
    key, audience = {
        "connection": (tokens.connection_key(), tokens.CONNECTION_AUDIENCE),
        "subscription": (tokens.subscription_key(), tokens.SUBSCRIPTION_AUDIENCE),
    }[kind]
    issue = {"connection": connection_token, "subscription": subscription_token}[kind]
    claims = jwt.decode(issue(visitor), key, algorithms=["HS256"], audience=audience)
    return jwt.encode({**claims, **changes}, changes.pop("key", key), algorithm="HS256")


Say = Callable[[Visitor], list[Frame]]

BEFORE_CONNECT: dict[str, tuple[Say, list[Any]]] = {
    "connect": (lambda v: [v.connecting()], [CONNECTED]),
    "no token": (lambda _: [{"id": 1, "connect": {}}], [closed(3501)]),
    "no id": (lambda v: [{"connect": v.connecting()["connect"]}], [closed(3501)]),
    "expired": (lambda v: [v.connecting(ttl_s=-1)], [error(109, 1)]),
    "expires now": (lambda v: [v.connecting(ttl_s=0)], [error(109, 1)]),
    "expired, more in the frame": (
        lambda v: [json.dumps(v.connecting(ttl_s=-1)) + "\n" + json.dumps(v.subscribing())],
        [error(109, 1)],
    ),
    "no visitor": (
        lambda v: [{"id": 1, "connect": {"token": signed("connection", v.id, sub="")}}],
        [closed(3507)],
    ),
    "numeric visitor": (
        lambda v: [{"id": 1, "connect": {"token": signed("connection", v.id, sub=5)}}],
        [closed(3500)],
    ),
    "another audience": (
        lambda v: [{"id": 1, "connect": {"token": signed("connection", v.id, aud="other")}}],
        [closed(3500)],
    ),
    "another audience and expired": (
        lambda v: [{"id": 1, "connect": {"token": signed("connection", v.id, aud="x", exp=1)}}],
        [closed(3500)],
    ),
    "a subscription token": (
        lambda v: [{"id": 1, "connect": {"token": subscription_token(v.id)}}],
        [closed(3500)],
    ),
    "nonsense for a token": (lambda _: [{"id": 1, "connect": {"token": "x"}}], [closed(3500)]),
    "another command": (lambda v: [unsubscribe(v.me)], [closed(3501)]),
    "pong": (lambda _: ["{}"], [closed(3501)]),
    "connect and subscribe in one frame": (
        lambda v: [json.dumps(v.connecting()) + "\n" + json.dumps(v.subscribing())],
        [CONNECTED, SUBSCRIBED],
    ),
}

OTHER = '{"id":3,"unsubscribe":{"channel":"a:b"}}'
FRAMES: dict[str, tuple[Say, list[Any]]] = {
    "connect again": (lambda v: [v.connecting(3)], [closed(3501)]),
    "unasked pong": (lambda _: ["{}"], [closed(3501)]),
    "ping": (lambda _: ['{"id":3,"ping":{}}'], [closed(3501)]),
    "unknown method": (lambda _: ['{"id":3,"unknown":{}}'], [closed(3501)]),
    "method null": (lambda _: ['{"id":3,"subscribe":null}'], [closed(3501)]),
    "method of text": (lambda _: ['{"id":3,"subscribe":"x"}'], [closed(3501)]),
    "no method": (lambda _: ['{"id":3}'], [closed(3501)]),
    "no id": (lambda _: ['{"unsubscribe":{"channel":"a:b"}}'], [closed(3501)]),
    **{
        f"id {number}": (
            lambda _, number=number: [OTHER.replace("3", number, 1)],  # type: ignore[misc]
            [closed(3501)],
        )
        for number in ("0", "-1", "1.5", "1e3", "true", '"1"', "4294967296")
    },
    "largest id": (
        lambda _: [OTHER.replace("3", "4294967295", 1)],
        [{"id": 4294967295, "unsubscribe": {}}],
    ),
    "empty frame": (lambda _: [""], [closed(3501)]),
    "blank": (lambda _: [" "], [closed(3501)]),
    "sole newline": (lambda _: ["\n"], [closed(3501)]),
    "leading newline": (lambda _: ["\n" + OTHER], [closed(3501)]),
    "blank line between": (lambda _: [OTHER + "\n\n" + OTHER], [DONE, closed(3501)]),
    "two newlines at the end": (lambda _: [OTHER + "\n\n"], [DONE, closed(3501)]),
    "one newline at the end": (lambda _: [OTHER + "\n"], [DONE]),
    "CRLF": (lambda _: [OTHER + "\r\n" + OTHER + "\r\n"], [DONE, DONE]),
    "leading white space": (lambda _: [" \t" + OTHER], [DONE]),
    "second object on the line": (lambda _: [OTHER + OTHER], [DONE]),
    "text after the object": (lambda _: [OTHER + " text"], [DONE]),
    "binary": (lambda _: [OTHER.encode()], [DONE]),
    "cut off": (lambda _: [OTHER[:-1]], [closed(3501)]),
    **{value: (lambda _, value=value: [value], [closed(3501)]) for value in ("[]", "null", "5")},  # type: ignore[misc]
    "send": (lambda _: ['{"send":{"data":{}}}'], [closed(3508)]),
    "rpc": (lambda _: ['{"id":3,"rpc":{"method":"m"}}'], [error(108)]),
    "unsubscribe without a channel": (lambda _: [unsubscribe("")], [closed(3501)]),
}


def channel_rows(method: str, answers: dict[str, int], **extra: Any) -> dict[str, Any]:
    def row(channel: str) -> Say:
        return lambda v: [{"id": 3, method: {"channel": channel or v.me, **extra}}]

    about = f" with {extra}" if extra else ""
    return {
        f"{method} {channel or 'mine'}{about}": (
            row(channel),
            [closed(code) if code > 3000 else error(code)],
        )
        for channel, code in answers.items()
    }


READS = {"": 103, "none": 108, "other:x": 102, "visitor:é": 107}
REQUESTS: dict[str, tuple[Say, list[Any]]] = {
    **channel_rows("presence", READS),
    **channel_rows("presence_stats", READS),
    **channel_rows("history", READS),
    **channel_rows("publish", {"": 107, "none": 107, "other:x": 102}),
    **channel_rows("publish", {"": 103, "none": 103, "other:x": 102, "visitor:é": 107}, data={}),
    **channel_rows("publish", {"": 107, "none": 103}, data="text"),
    **channel_rows(
        "subscribe",
        {
            "": 103,
            "none": 103,
            ":x": 103,
            "$visitor:x": 103,
            "other:x": 102,
            "visitor:é": 107,
            "visitor:" + "x" * 247: 103,
            "visitor:" + "x" * 248: 107,
        },
    ),
    "subscribe without a channel": (
        lambda _: [{"id": 3, "subscribe": {"channel": ""}}],
        [closed(3501)],
    ),
    **{
        f"subscribe of type {kind}": (
            lambda v, kind=kind: [v.subscribing(3, type=kind)],  # type: ignore[misc]
            [error(code)],
        )
        for kind, code in {1: 103, 2: 103, 3: 103, 4: 108}.items()
    },
    "subscribe with a tag filter": (
        lambda v: [v.subscribing(3, tf={"key": "a", "cmp": "eq", "val": "b"})],
        [error(107)],
    ),
    "subscribe with unknown delta": (lambda v: [v.subscribing(delta="x")], [closed(3501)]),
    "subscribe with delta": (lambda v: [v.subscribing(delta="fossil")], [SUBSCRIBED]),
    "subscribe with null": (lambda v: [v.subscribing(3, token=None)], [error(103)]),
    "subscribe with a negative offset": (lambda v: [v.subscribing(offset=-1)], [closed(3501)]),
    "subscribe twice": (lambda v: [v.subscribing(), v.subscribing(3)], [SUBSCRIBED, error(105)]),
    "unsubscribe twice": (
        lambda v: [v.subscribing(), unsubscribe(v.me), unsubscribe(v.me)],
        [SUBSCRIBED, DONE, DONE],
    ),
}

TOKENS: dict[str, tuple[Say, list[Any]]] = {
    "subscribe": (lambda v: [v.subscribing()], [SUBSCRIBED]),
    "subscribe, expired": (
        lambda v: [v.subscribing(3, token=subscription_token(v.id, -1))],
        [error(109)],
    ),
    "subscribe, another audience and expired": (
        lambda v: [v.subscribing(3, token=signed("subscription", v.id, aud="x", exp=1))],
        [error(103)],
    ),
    "subscribe, another key": (
        lambda v: [v.subscribing(3, token=signed("subscription", v.id, key="k" * 64))],
        [error(103)],
    ),
    "subscribe, another visitor": (
        lambda v: [v.subscribing(token=signed("subscription", v.id, sub="other"))],
        [closed(3500)],
    ),
    "subscribe, another channel": (
        lambda v: [v.subscribing(token=subscription_token(v.id, channel="visitor:x"))],
        [closed(3500)],
    ),
    "subscribe, another client": (
        lambda v: [v.subscribing(token=signed("subscription", v.id, client="x"))],
        [closed(3500)],
    ),
    "subscribe, this client": (
        lambda v: [v.subscribing(token=signed("subscription", v.id, client=v.client))],
        [SUBSCRIBED],
    ),
    "refresh": (
        lambda v: [{"id": 3, "refresh": {"token": connection_token(v.id, 60)}}],
        [{"id": 3, "refresh": {"expires": True, "ttl": 60}}],
    ),
    "refresh without a token": (lambda _: [{"id": 3, "refresh": {}}], [closed(3501)]),
    "refresh, expired": (
        lambda v: [{"id": 3, "refresh": {"token": connection_token(v.id, -1)}}],
        [closed(3005)],
    ),
    "refresh, nonsense": (lambda _: [{"id": 3, "refresh": {"token": "x"}}], [closed(3500)]),
    "refresh, another visitor": (
        lambda _: [{"id": 3, "refresh": {"token": connection_token("other")}}],
        [closed(3500)],
    ),
    "sub_refresh, not subscribed": (
        lambda v: [{"id": 3, "sub_refresh": {"channel": v.me, "token": "x"}}],
        [error(103)],
    ),
    "sub_refresh without a channel": (
        lambda v: [{"id": 3, "sub_refresh": {"token": subscription_token(v.id)}}],
        [closed(3501)],
    ),
    **{
        f"sub_refresh, {name}": (
            lambda v, token=token: [  # type: ignore[misc]
                v.subscribing(),
                {"id": 3, "sub_refresh": {"channel": v.me, "token": token(v)}},
            ],
            [SUBSCRIBED, answer],
        )
        for name, token, answer in (
            (
                "accepted",
                lambda v: subscription_token(v.id, 60),
                {"id": 3, "sub_refresh": {"expires": True, "ttl": 60}},
            ),
            ("empty", lambda _: "", error(107)),
            ("expired", lambda v: subscription_token(v.id, -1), closed(3006)),
            ("nonsense", lambda _: "x", closed(3500)),
            ("another visitor", lambda v: signed("subscription", v.id, sub="x"), closed(3500)),
        )
    },
}


def rows(table: dict[str, tuple[Say, list[Any]]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("say", "answers"), table.values(), ids=table.keys())


@rows(BEFORE_CONNECT)
async def test_first_frame(backend: Backend, say: Say, answers: list[Any]) -> None:
    async with connect(backend.url) as socket:
        visitor = Visitor(socket)
        if "error" in answers[-1]:  # nothing more is ever answered, so there is no end to wait for
            await socket.send(as_text(say(visitor)[0]))
            assert [json.loads(await socket.recv())] == answers
        else:
            await visitor.say(*say(visitor), answers=answers)


@rows(FRAMES | REQUESTS | TOKENS)
async def test_frame_of_a_connected_client(backend: Backend, say: Say, answers: list[Any]) -> None:
    async with connect(backend.url) as socket:
        visitor = Visitor(socket)
        await visitor.connect()
        await visitor.say(*say(visitor), answers=answers)


PUBLISHED = [{"data": {"n": n}, "offset": n} for n in (1, 2, 3)]
RECOVERED = {"recovered": True, "was_recovering": True}


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, subscribed(offset=3)),
        ({"recover": True}, subscribed(publications=PUBLISHED, **RECOVERED)),
        (
            {"recover": True, "offset": 1},
            subscribed(offset=1, publications=PUBLISHED[1:], **RECOVERED),
        ),
        ({"recover": True, "offset": 3}, subscribed(offset=3, **RECOVERED)),
        ({"recover": True, "offset": 4}, subscribed(offset=3, was_recovering=True)),
        ({"recover": True, "epoch": "x"}, subscribed(offset=3, was_recovering=True)),
        ({"recover": True, "offset": 4, "flag": 2}, error(112, 2)),
        ({"offset": 4, "flag": 2}, subscribed(offset=3)),
    ],
    ids=str,
)
async def test_recovery(backend: Backend, fields: dict[str, Any], answer: Any) -> None:
    async with connect(backend.url) as socket:
        visitor = Visitor(socket)
        await visitor.connect()
        for n in (1, 2, 3):
            await backend.publish(visitor.me, {"n": n})
        await visitor.say(visitor.subscribing(**fields), answers=[answer])


async def test_publications(backend: Backend) -> None:
    async with connect(backend.url) as socket:
        visitor = Visitor(socket)
        await visitor.connect()
        await visitor.say(visitor.subscribing(), answers=[SUBSCRIBED])
        epoch = (await backend.position(visitor.me))["epoch"]
        await backend.publish(visitor.me, {"text": "olá \u2028"})
        await backend.publish(visitor.me, {"n": 2})
        await backend.publish(visitor.me, {"n": 3}, kept=False)
        pubs = [
            {"data": {"text": "olá \u2028"}, "offset": 1, "epoch": epoch},
            {"data": {"n": 2}, "offset": 2},
            {"data": {"n": 3}},
        ]
        pushes = [{"push": {"channel": visitor.me, "pub": pub}} for pub in pubs]
        await visitor.say(answers=pushes)


@pytest.mark.parametrize("code", [3503, 4501, 4001])
async def test_disconnect(backend: Backend, code: int) -> None:
    async with connect(backend.url) as socket:
        visitor = Visitor(socket)
        await visitor.connect()
        await backend.disconnect(visitor.id, code, "plain words")
        await visitor.say(answers=[(code, "plain words")])


@pytest.mark.parametrize(("size", "answer"), [(65_536, [DONE]), (65_537, [(1009, "")])])
async def test_size_of_a_frame(backend: Backend, size: int, answer: list[Any]) -> None:
    async with connect(backend.url) as socket:
        visitor = Visitor(socket)
        await visitor.connect()
        frame = OTHER.replace("a:b", "")
        frame = frame.replace('""', '"' + "x" * (size - len(frame)) + '"')
        assert len(frame) == size
        await visitor.say(frame, answers=answer)


async def test_no_subprotocol_is_selected_and_any_origin_is_welcome(backend: Backend) -> None:
    async with connect(backend.url, origin="https://shop.example") as socket:  # type: ignore[arg-type]
        assert socket.subprotocol is None
        await Visitor(socket).connect()


def as_text(frame: Frame) -> str | bytes:
    return json.dumps(frame) if isinstance(frame, dict) else frame
