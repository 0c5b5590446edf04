"""Every token outcome of Centrifugo's, one row each."""

import json
from typing import Any

import pytest

from realtime.gateway.session import Session
from tests.realtime.gateway.fakes import (
    RecordingSender,
    World,
    connection_token,
    subscription_token,
)

CHANNEL = "visitor:v1"
Outcome = tuple[list[Any], tuple[int, str] | None]


async def say(session: Session, sender: RecordingSender, **command: Any) -> Outcome:
    """The replies and the close that a command brings, without the client id."""
    await session.receive(json.dumps({"id": 7, **command}))
    return sender.take(), sender.closed[:2] if sender.closed else None


def refused(code: int, message: str) -> Outcome:
    return [{"id": 7, "error": {"code": code, "message": message}}], None


def closed(code: int, reason: str) -> Outcome:
    return [], (code, reason)


EXPIRED = refused(109, "token expired")
DENIED = refused(103, "permission denied")
INVALID = closed(3500, "invalid token")
BAD = closed(3501, "bad request")


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        ("", BAD),
        (connection_token(ttl=-1), EXPIRED),
        (connection_token(ttl=0), EXPIRED),
        ("nonsense", INVALID),
        (subscription_token(), INVALID),
        (connection_token(user=""), closed(3507, "permission denied")),
    ],
)
async def test_connect(
    fresh: Session, sender: RecordingSender, token: str, outcome: Outcome
) -> None:
    assert await say(fresh, sender, connect={"token": token}) == outcome


@pytest.mark.parametrize(
    ("token", "result"),
    [
        (connection_token(), {"expires": True, "ttl": 3600}),
        (connection_token(ttl=1), {"expires": True, "ttl": 1}),
        (connection_token(never=1), {}),
    ],
)
async def test_connect_accepted(
    fresh: Session, sender: RecordingSender, token: str, result: dict[str, Any]
) -> None:
    replies, close = await say(fresh, sender, connect={"token": token})
    assert replies == [
        {"id": 7, "connect": {"client": fresh.client, "ping": 30, "pong": True} | result}
    ]
    assert close is None


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        (connection_token(ttl=60), ([{"id": 7, "refresh": {"expires": True, "ttl": 60}}], None)),
        (connection_token(never=1), ([{"id": 7, "refresh": {}}], None)),
        ("", BAD),
        (connection_token(ttl=-1), closed(3005, "connection expired")),
        ("nonsense", INVALID),
        (connection_token(user="v2"), INVALID),
    ],
)
async def test_refresh(
    session: Session, sender: RecordingSender, token: str, outcome: Outcome
) -> None:
    assert await say(session, sender, refresh={"token": token}) == outcome


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        ("", DENIED),
        (subscription_token(ttl=-1), EXPIRED),
        ("nonsense", DENIED),
        (connection_token(), DENIED),
        (subscription_token("visitor:v2"), INVALID),
        (subscription_token(user="v2"), INVALID),
        (subscription_token(client="another"), INVALID),
    ],
)
async def test_subscribe(
    session: Session, sender: RecordingSender, token: str, outcome: Outcome
) -> None:
    command = {"channel": CHANNEL, "token": token}
    assert await say(session, sender, subscribe=command) == outcome


@pytest.mark.parametrize(
    ("options", "result"),
    [
        ({}, {"expires": True, "ttl": 3600}),
        ({"never": 1}, {}),
        ({"client": None}, {"expires": True, "ttl": 3600}),
    ],
)
async def test_subscribe_accepted(
    session: Session, sender: RecordingSender, options: dict[str, Any], result: dict[str, Any]
) -> None:
    bound = {key: session.client if key == "client" else value for key, value in options.items()}
    command = {"channel": CHANNEL, "token": subscription_token(**bound)}
    replies, close = await say(session, sender, subscribe=command)
    accepted = {"recoverable": True, "positioned": True, "epoch": "epoch-1"} | result
    assert (replies, close) == ([{"id": 7, "subscribe": accepted}], None)


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        (
            subscription_token(ttl=60),
            ([{"id": 7, "sub_refresh": {"expires": True, "ttl": 60}}], None),
        ),
        (subscription_token(never=1), ([{"id": 7, "sub_refresh": {}}], None)),
        ("", refused(107, "bad request")),
        (subscription_token(ttl=-1), closed(3006, "subscription expired")),
        ("nonsense", INVALID),
        (subscription_token("visitor:v2"), INVALID),
        (subscription_token(user="v2"), INVALID),
        (subscription_token(client="another"), INVALID),
    ],
)
@pytest.mark.parametrize("first", [{}, {"never": 1}])
async def test_sub_refresh(
    session: Session,
    sender: RecordingSender,
    token: str,
    outcome: Outcome,
    first: dict[str, Any],
) -> None:
    await say(session, sender, subscribe={"channel": CHANNEL, "token": subscription_token(**first)})
    command = {"channel": CHANNEL, "token": token}
    assert await say(session, sender, sub_refresh=command) == outcome


async def test_sub_refresh_without_a_subscription(
    session: Session, sender: RecordingSender
) -> None:
    command = {"channel": CHANNEL, "token": subscription_token()}
    assert await say(session, sender, sub_refresh=command) == DENIED


@pytest.mark.parametrize(
    ("connection_at", "subscription_at", "revoked"),
    [(500, 900, True), (900, 500, True), (501, 900, False), (900, 501, False)],
)
async def test_subscribe_with_revoked_tokens(
    world: World, sender: RecordingSender, connection_at: int, subscription_at: int, revoked: bool
) -> None:
    world.streams.revoked_at[CHANNEL] = 500
    fresh = Session(world.gateway, sender)
    await say(fresh, sender, connect={"token": connection_token(iat=connection_at)})
    token = subscription_token(iat=subscription_at)
    heard = await say(fresh, sender, subscribe={"channel": CHANNEL, "token": token})
    assert (heard == closed(4501, "session revoked")) is revoked


async def test_refreshed_connection_is_as_young_as_its_new_token(
    fresh: Session, world: World, sender: RecordingSender
) -> None:
    world.streams.revoked_at[CHANNEL] = 500
    await say(fresh, sender, connect={"token": connection_token(iat=400)})
    await say(fresh, sender, refresh={"token": connection_token(iat=600)})
    token = subscription_token(iat=700)
    replies, _ = await say(fresh, sender, subscribe={"channel": CHANNEL, "token": token})
    assert "subscribe" in replies[0]
    assert world.streams.asked == [("position", CHANNEL, 600)]
