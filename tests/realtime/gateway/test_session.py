import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from realtime.gateway.ports import Publication, StreamPosition
from realtime.gateway.session import Session
from tests.realtime.gateway.fakes import (
    SHORT,
    RecordingSender,
    World,
    connection_token,
    subscription_token,
)

CHANNEL = "visitor:v1"


def connect(number: int = 1, **options: Any) -> str:
    return json.dumps({"id": number, "connect": {"token": connection_token(**options)}})


def subscribe(number: int = 2, channel: str = CHANNEL, **fields: Any) -> str:
    token = fields.pop("token", subscription_token(channel))
    command = {"channel": channel, "token": token, **fields}
    return json.dumps({"id": number, "subscribe": command})


def push(offset: int, **data: Any) -> dict[str, Any]:
    epoch = {"epoch": "epoch-1"} if offset == 1 else {}
    return {"push": {"channel": CHANNEL, "pub": {"data": data, "offset": offset, **epoch}}}


def unsubscribe_push(code: int, reason: str) -> dict[str, Any]:
    return {"push": {"channel": CHANNEL, "unsubscribe": {"code": code, "reason": reason}}}


@pytest.mark.parametrize(
    "frame", ["{}", '{"id":1,"rpc":{}}', '{"send":{}}', subscribe(), "", '{"connect":{}}']
)
async def test_anything_before_connect_is_closed(
    fresh: Session, sender: RecordingSender, frame: str
) -> None:
    await fresh.receive(frame)
    assert sender.replies == []
    assert sender.closed == (3501, "bad request", True)


@pytest.mark.parametrize("frame", [connect(2), "{}", "\n"])
async def test_frame_that_does_not_fit_is_closed(
    session: Session, sender: RecordingSender, frame: str
) -> None:
    await session.receive(frame)
    assert sender.closed == (3501, "bad request", True)


async def test_send_is_closed(session: Session, sender: RecordingSender) -> None:
    await session.receive('{"send":{"data":{}}}')
    assert sender.closed == (3508, "not available", True)


async def test_commands_of_one_frame_are_answered_in_order(
    fresh: Session, sender: RecordingSender
) -> None:
    await fresh.receive(f'{connect()}\n{subscribe()}\n{{"id":3,"rpc":{{}}}}')
    assert [reply["id"] for reply in sender.take()] == [1, 2, 3]


async def test_commands_after_a_closing_one_are_not_handled(
    session: Session, sender: RecordingSender
) -> None:
    await session.receive('{"send":{}}\n{"id":3,"rpc":{}}')
    assert sender.replies == []


async def test_nothing_is_answered_after_an_error_to_connect(
    fresh: Session, sender: RecordingSender
) -> None:
    await fresh.receive(connect(ttl=-1) + "\n" + subscribe())
    await fresh.receive(connect(3))
    assert [reply["id"] for reply in sender.take()] == [1]
    assert sender.closed is None


async def test_same_channel_twice(session: Session, sender: RecordingSender) -> None:
    await session.receive(subscribe() + "\n" + subscribe(3))
    assert sender.take()[1]["error"] == {"code": 105, "message": "already subscribed"}


async def test_channel_limit(sender: RecordingSender) -> None:
    session = Session(World(replace(SHORT, channel_limit=2)).gateway, sender)
    await session.receive(connect())
    for number in (2, 3, 4):
        await session.receive(subscribe(number, f"visitor:{number}"))
    replies = sender.take()
    assert ["subscribe" in reply for reply in replies] == [False, True, True, False]
    assert replies[3]["error"] == {"code": 106, "message": "limit exceeded"}


async def test_unknown_channel_of_the_namespace_is_denied(
    session: Session, world: World, sender: RecordingSender
) -> None:
    world.streams.missing.add(CHANNEL)
    await session.receive(subscribe())
    assert sender.take()[0]["error"]["code"] == 103
    assert world.registry.channels == ()


async def test_unsubscribe_is_answered_even_when_not_subscribed(
    session: Session, world: World, sender: RecordingSender
) -> None:
    command = json.dumps({"id": 3, "unsubscribe": {"channel": CHANNEL}})
    await session.receive(f"{subscribe()}\n{command}\n{command}")
    assert sender.take()[1:] == [{"id": 3, "unsubscribe": {}}] * 2
    world.publish(CHANNEL, n=1)
    assert sender.take() == []


async def test_unsubscribed_channel_can_be_subscribed_again(
    session: Session, sender: RecordingSender
) -> None:
    command = json.dumps({"id": 3, "unsubscribe": {"channel": CHANNEL}})
    await session.receive(f"{subscribe()}\n{command}\n{subscribe(4)}")
    assert "subscribe" in sender.take()[2]


async def test_failing_port_closes_with_a_code_that_reconnects(
    session: Session, world: World, sender: RecordingSender
) -> None:
    world.streams.error = RuntimeError("the database is down")
    with capture_logs() as logs:
        await session.receive(subscribe())
    assert [(log["event"], log["client"]) for log in logs] == [
        ("gateway_command_failed", session.client)
    ]
    assert sender.closed == (3004, "internal server error", True)
    assert world.registry.channels == ()


# Publications


async def test_publications_are_delivered_with_their_offsets(
    session: Session, world: World, sender: RecordingSender
) -> None:
    await session.receive(subscribe())
    sender.take()
    world.publish(CHANNEL, n=1)
    world.publish(CHANNEL, n=2)
    assert sender.take() == [push(1, n=1), push(2, n=2)]


async def test_ephemeral_publication_has_no_offset_and_moves_nothing(
    session: Session, world: World, sender: RecordingSender
) -> None:
    await session.receive(subscribe())
    sender.take()
    world.registry.publish(CHANNEL, Publication(0, b'{"typing":true}'))
    world.publish(CHANNEL, n=1)
    pub = {"data": {"typing": True}}
    assert sender.take() == [{"push": {"channel": CHANNEL, "pub": pub}}, push(1, n=1)]


async def test_publication_already_seen_is_skipped(
    session: Session, world: World, sender: RecordingSender
) -> None:
    first = world.publish(CHANNEL, n=1)
    await session.receive(subscribe())
    sender.take()
    world.registry.publish(CHANNEL, first)
    assert sender.take() == []


@pytest.mark.parametrize(
    "publication", [Publication(2, b"{}", "epoch-1"), Publication(1, b"{}", "another")]
)
async def test_gap_or_another_epoch_ends_the_subscription(
    session: Session, world: World, sender: RecordingSender, publication: Publication
) -> None:
    await session.receive(subscribe())
    sender.take()
    world.registry.publish(CHANNEL, publication)
    world.registry.publish(CHANNEL, publication)
    assert sender.take() == [unsubscribe_push(2500, "insufficient state")]
    assert sender.closed is None
    assert world.watch.seen[-1] == ("disconnected", "v1", CHANNEL)


@pytest.mark.parametrize(
    ("top", "ended"),
    [
        (StreamPosition(1, "epoch-1"), False),
        (StreamPosition(0, "epoch-1"), False),
        (StreamPosition(2, "epoch-1"), True),
        (StreamPosition(1, "another"), True),
    ],
)
async def test_verify_ends_a_subscription_that_lags(
    session: Session, world: World, sender: RecordingSender, top: StreamPosition, ended: bool
) -> None:
    world.publish(CHANNEL, n=1)
    await session.receive(subscribe())
    sender.take()
    world.registry.verify(CHANNEL, top)
    assert sender.take() == ([unsubscribe_push(2500, "insufficient state")] if ended else [])


async def publish_while_subscribing(
    session: Session, world: World, frame: str, *, before: int, after: int
) -> None:
    """`before` are stored when the position is read, `after` are not; all arrive live."""
    world.streams.gate = asyncio.Event()
    for n in range(before):
        world.streams.append(CHANNEL, {"n": n})
    subscribing = asyncio.ensure_future(session.receive(frame))
    await asyncio.sleep(0)
    for publication in tuple(world.streams.stored[CHANNEL]):
        world.registry.publish(CHANNEL, publication)
    for n in range(before, before + after):
        world.publish(CHANNEL, n=n)
    world.streams.gate.set()
    await subscribing


async def test_publications_during_a_subscribe_follow_the_answer_without_gap_or_double(
    session: Session, world: World, sender: RecordingSender
) -> None:
    await publish_while_subscribing(session, world, subscribe(), before=2, after=2)
    answer, *pushes = sender.take()
    assert answer["subscribe"]["offset"] == 2
    assert pushes == [push(3, n=2), push(4, n=3)]


async def test_publications_during_a_recovery_follow_the_answer_without_gap_or_double(
    session: Session, world: World, sender: RecordingSender
) -> None:
    frame = subscribe(recover=True, offset=1, epoch="epoch-1")
    await publish_while_subscribing(session, world, frame, before=3, after=2)
    answer, *pushes = sender.take()
    assert answer["subscribe"]["offset"] == 1
    assert [pub["offset"] for pub in answer["subscribe"]["publications"]] == [2, 3]
    assert pushes == [push(4, n=3), push(5, n=4)]


async def test_connection_that_ends_during_a_subscribe_leaves_nothing(
    session: Session, world: World, sender: RecordingSender
) -> None:
    world.streams.gate = asyncio.Event()
    subscribing = asyncio.ensure_future(session.receive(subscribe()))
    await asyncio.sleep(0)
    world.registry.disconnect("v1", 4501, "session revoked")
    world.streams.gate.set()
    with capture_logs() as logs:
        await subscribing
    assert (logs, sender.replies) == ([], [])
    assert sender.closed == (4501, "session revoked", True)
    assert (world.registry.sessions, world.registry.channels) == (set(), ())
    assert world.watch.seen == []


async def test_reader_too_slow_is_closed_without_its_queue(
    session: Session, world: World, sender: RecordingSender
) -> None:
    await session.receive(subscribe())
    sender.limit = sender.size + 100
    world.publish(CHANNEL, text="x" * 200)
    assert sender.closed == (3008, "slow", False)
    assert world.registry.sessions == set()


async def test_reader_too_slow_for_the_answer_to_its_subscribe(
    session: Session, world: World, sender: RecordingSender
) -> None:
    sender.limit = 0
    await session.receive(subscribe())
    assert sender.closed == (3008, "slow", False)
    assert world.registry.channels == ()
    assert world.watch.seen == []


# Time

# A ttl counts whole seconds; the grace makes up for it, so that these tests are over at once.
BRIEF = replace(SHORT, expired_close_delay=-0.95, expired_sub_close_delay=-0.95)


async def test_stale_connection_is_closed(sender: RecordingSender) -> None:
    Session(World(replace(SHORT, stale_close_delay=0.01)).gateway, sender)
    await asyncio.sleep(0.03)
    assert sender.closed == (3502, "stale", True)


async def test_connected_client_is_not_stale(sender: RecordingSender) -> None:
    session = Session(World(replace(SHORT, stale_close_delay=0.01)).gateway, sender)
    await session.receive(connect())
    await asyncio.sleep(0.03)
    assert sender.closed is None


async def test_connection_is_closed_when_nobody_refreshes_it(sender: RecordingSender) -> None:
    session = Session(World(BRIEF).gateway, sender)
    await session.receive(connect(ttl=1))
    await asyncio.sleep(0.02)
    assert sender.closed is None
    await asyncio.sleep(0.06)
    assert sender.closed == (3005, "connection expired", True)


@pytest.mark.parametrize("options", [{"ttl": 60}, {"never": 1}])
async def test_refresh_postpones_the_end(sender: RecordingSender, options: dict[str, Any]) -> None:
    session = Session(World(BRIEF).gateway, sender)
    await session.receive(connect(ttl=1))
    await session.receive(json.dumps({"id": 2, "refresh": {"token": connection_token(**options)}}))
    await asyncio.sleep(0.08)
    assert sender.closed is None


async def test_subscription_ends_when_nobody_refreshes_it_and_the_connection_stays(
    sender: RecordingSender,
) -> None:
    world = World(BRIEF)
    session = Session(world.gateway, sender)
    await session.receive(connect() + "\n" + subscribe(token=subscription_token(ttl=1)))
    await asyncio.sleep(0.02)
    assert len(sender.take()) == 2
    await asyncio.sleep(0.06)
    assert sender.take() == [unsubscribe_push(2501, "subscription expired")]
    assert sender.closed is None
    assert world.registry.channels == ()


@pytest.mark.parametrize("options", [{"ttl": 60}, {"never": 1}])
async def test_sub_refresh_postpones_the_end(
    sender: RecordingSender, options: dict[str, Any]
) -> None:
    session = Session(World(BRIEF).gateway, sender)
    await session.receive(connect() + "\n" + subscribe(token=subscription_token(ttl=1)))
    command = {"channel": CHANNEL, "token": subscription_token(**options)}
    await session.receive(json.dumps({"id": 3, "sub_refresh": command}))
    sender.take()
    await asyncio.sleep(0.08)
    assert sender.take() == []


async def test_missing_pong_closes(sender: RecordingSender) -> None:
    options = replace(SHORT, ping_interval=0.04, pong_timeout=0.02)
    session = Session(World(options).gateway, sender)
    await session.receive(connect())
    await asyncio.sleep(0.1)
    assert sender.take()[1:] == [{}]
    assert sender.closed == (3012, "no pong", True)


async def test_pongs_keep_the_connection_but_none_may_be_sent_unasked(
    sender: RecordingSender,
) -> None:
    options = replace(SHORT, ping_interval=0.04, pong_timeout=0.02)
    session = Session(World(options).gateway, sender)
    await session.receive(connect())
    sender.take()
    for _ in range(60):
        await asyncio.sleep(0.004)
        if sender.take():
            await session.receive("{}")
    assert sender.closed is None
    await session.receive("{}")
    assert sender.closed == (3501, "bad request", True)


async def test_ended_session_has_no_timers_left(sender: RecordingSender) -> None:
    options = replace(BRIEF, ping_interval=0.02, pong_timeout=0.01)
    session = Session(World(options).gateway, sender)
    await session.receive(connect(ttl=1) + "\n" + subscribe(token=subscription_token(ttl=1)))
    sender.take()
    session.end()
    session.end()
    await asyncio.sleep(0.08)
    assert sender.replies == []
    assert sender.closed is None
