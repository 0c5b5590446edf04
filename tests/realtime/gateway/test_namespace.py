"""What each command is answered where the visitor's namespace doesn't serve it."""

import json
from typing import Any

import pytest

from realtime.gateway.session import Session
from tests.realtime.gateway.fakes import RecordingSender, World, subscription_token

OURS, FOREIGN, NONE, ACCENTED = "visitor:v1", "other:v1", "v1", "visitor:é"


async def error_of(session: Session, sender: RecordingSender, command: dict[str, Any]) -> Any:
    await session.receive(json.dumps({"id": 7, **command}))
    (reply,) = sender.take()
    assert sender.closed is None
    assert reply.keys() == {"id", "error"}
    return reply["error"]["code"]


@pytest.mark.parametrize(
    ("channel", "extra", "code"),
    [
        (OURS, {}, 103),
        (FOREIGN, {}, 102),
        (FOREIGN, {"token": subscription_token(FOREIGN)}, 102),
        (NONE, {}, 103),
        (NONE, {"token": subscription_token(NONE)}, 103),
        ("$visitor:v1", {}, 103),
        ("$other:v1", {}, 102),
        (":v1", {}, 103),
        (ACCENTED, {}, 107),
        ("\udc80", {}, 107),
        ("visitor:" + "x" * 247, {}, 103),
        ("visitor:" + "x" * 248, {}, 107),
        *[(OURS, {"token": subscription_token(), "type": kind}, 103) for kind in (1, 2, 3)],
        (OURS, {"token": subscription_token(), "type": 4}, 108),
        (OURS, {"token": subscription_token(), "tf": {"op": ""}}, 107),
    ],
)
async def test_subscribe(
    session: Session, sender: RecordingSender, channel: str, extra: dict[str, Any], code: int
) -> None:
    assert await error_of(session, sender, {"subscribe": {"channel": channel, **extra}}) == code


@pytest.mark.parametrize("method", ["presence", "presence_stats", "history"])
@pytest.mark.parametrize(
    ("channel", "code"), [(OURS, 103), (FOREIGN, 102), (NONE, 108), (ACCENTED, 107)]
)
async def test_reads(
    session: Session, sender: RecordingSender, method: str, channel: str, code: int
) -> None:
    assert await error_of(session, sender, {method: {"channel": channel}}) == code


@pytest.mark.parametrize(
    ("channel", "extra", "code"),
    [
        (OURS, {}, 107),
        (OURS, {"data": None}, 107),
        (OURS, {"data": "text"}, 107),
        (OURS, {"data": {}}, 103),
        (FOREIGN, {"data": {}}, 102),
        (NONE, {}, 107),
        (NONE, {"data": {}}, 103),
        (NONE, {"data": "text"}, 103),
        (ACCENTED, {"data": {}}, 107),
    ],
)
async def test_publish(
    session: Session, sender: RecordingSender, channel: str, extra: dict[str, Any], code: int
) -> None:
    assert await error_of(session, sender, {"publish": {"channel": channel, **extra}}) == code


async def test_rpc(session: Session, sender: RecordingSender) -> None:
    assert await error_of(session, sender, {"rpc": {"method": "m"}}) == 108


async def test_subscriber_may_not_read_or_publish_either(
    session: Session, sender: RecordingSender, world: World
) -> None:
    command = {"channel": OURS, "token": subscription_token()}
    await session.receive(json.dumps({"id": 7, "subscribe": command}))
    assert sender.take()
    for method in ("presence", "presence_stats", "history"):
        assert await error_of(session, sender, {method: {"channel": OURS}}) == 103
    assert await error_of(session, sender, {"publish": {"channel": OURS, "data": {}}}) == 103
    assert not any(world.streams.stored.values())
