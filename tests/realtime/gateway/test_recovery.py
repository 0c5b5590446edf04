import json
from typing import Any

import pytest

from realtime.gateway.session import Session
from tests.realtime.gateway.fakes import EPOCH, RecordingSender, World, subscription_token

CHANNEL = "visitor:v1"
HEAD = {"expires": True, "ttl": 3600, "recoverable": True, "positioned": True, "epoch": EPOCH}


async def recover(session: Session, sender: RecordingSender, **fields: Any) -> Any:
    command = {"channel": CHANNEL, "token": subscription_token(), "recover": True, **fields}
    await session.receive(json.dumps({"id": 7, "subscribe": command}))
    (reply,) = sender.take()
    return reply.get("subscribe", reply)


def store(world: World, count: int) -> None:
    for n in range(1, count + 1):
        world.streams.append(CHANNEL, {"n": n})


def missed(*offsets: int) -> dict[str, Any]:
    return {"publications": [{"data": {"n": n}, "offset": n} for n in offsets]} if offsets else {}


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        ({"epoch": EPOCH}, missed(1, 2, 3)),
        ({"epoch": ""}, missed(1, 2, 3)),
        ({}, missed(1, 2, 3)),
        ({"epoch": EPOCH, "offset": 1}, {"offset": 1} | missed(2, 3)),
        ({"offset": 3}, {"offset": 3}),
    ],
)
async def test_everything_missed_is_recovered(
    session: Session,
    world: World,
    sender: RecordingSender,
    fields: dict[str, Any],
    result: dict[str, Any],
) -> None:
    store(world, 3)
    reply = await recover(session, sender, **fields)
    assert reply == HEAD | {"recovered": True, "was_recovering": True} | result


@pytest.mark.parametrize("fields", [{"offset": 4}, {"offset": 2**64 - 1}, {"epoch": "another"}])
async def test_position_that_is_not_of_this_stream_is_not_recovered(
    session: Session, world: World, sender: RecordingSender, fields: dict[str, Any]
) -> None:
    store(world, 3)
    reply = await recover(session, sender, **fields)
    assert reply == HEAD | {"was_recovering": True, "offset": 3}
    assert [question[0] for question in world.streams.asked] == ["position"]


@pytest.mark.parametrize(("stored", "recovered"), [(200, True), (201, False)])
async def test_history_size_is_the_most_that_is_recovered(
    session: Session, world: World, sender: RecordingSender, stored: int, recovered: bool
) -> None:
    world.streams.window = 1_000
    store(world, stored)
    reply = await recover(session, sender)
    assert reply.get("recovered", False) is recovered
    assert len(reply.get("publications", ())) == (stored if recovered else 0)


@pytest.mark.parametrize(("window", "recovered"), [(2, True), (1, False), (0, False)])
async def test_nothing_is_recovered_when_a_part_has_left_the_window(
    session: Session, world: World, sender: RecordingSender, window: int, recovered: bool
) -> None:
    store(world, 3)
    world.streams.window = window
    reply = await recover(session, sender, offset=1, epoch=EPOCH)
    assert reply.get("recovered", False) is recovered
    assert ("publications" in reply) is recovered


@pytest.mark.parametrize(
    ("fields", "recovered"),
    [({"offset": 1}, True), ({"offset": 9}, False), ({"epoch": "x"}, False)],
)
async def test_client_that_asks_for_it_is_refused_where_recovery_fails(
    session: Session,
    world: World,
    sender: RecordingSender,
    fields: dict[str, Any],
    recovered: bool,
) -> None:
    store(world, 1)
    reply = await recover(session, sender, flag=3, **fields)
    error = {"code": 112, "message": "unrecoverable position"}
    assert reply == {"id": 7, "error": error} or recovered
    assert world.registry.channels == ((CHANNEL,) if recovered else ())


async def test_flag_means_nothing_without_a_recovery(
    session: Session, world: World, sender: RecordingSender
) -> None:
    store(world, 1)
    reply = await recover(session, sender, recover=False, offset=9, flag=2)
    assert reply == HEAD | {"offset": 1}


@pytest.mark.parametrize("offset", [1, 9])
async def test_live_publications_continue_after_recovery_and_after_failure(
    session: Session, world: World, sender: RecordingSender, offset: int
) -> None:
    store(world, 3)
    await recover(session, sender, offset=offset)
    world.publish(CHANNEL, n=4)
    assert sender.take() == [{"push": {"channel": CHANNEL, "pub": missed(4)["publications"][0]}}]
