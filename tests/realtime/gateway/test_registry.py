import asyncio

from prometheus_client import REGISTRY

from realtime.gateway import replies
from realtime.gateway.ports import PresenceStats, Publication
from realtime.gateway.session import Session
from tests.realtime.gateway.fakes import (
    RecordingSender,
    World,
    connection_token,
    subscription_token,
)

CHANNEL = "visitor:v1"
SHUTDOWN = (3001, "shutdown", True)


async def join(world: World, user: str = "v1", *channels: str) -> tuple[Session, RecordingSender]:
    sender = RecordingSender()
    session = Session(world.gateway, sender)
    await session.receive('{"id":1,"connect":{"token":"' + connection_token(user) + '"}}')
    for channel in channels:
        token = subscription_token(channel, user)
        subscribe = f'{{"id":2,"subscribe":{{"channel":"{channel}","token":"{token}"}}}}'
        await session.receive(subscribe)
    assert len(sender.take()) == 1 + len(channels)
    return session, sender


async def test_publication_reaches_each_listener_of_its_channel_and_is_encoded_once(
    world: World,
) -> None:
    _, first = await join(world, "v1", CHANNEL)
    _, second = await join(world, "v1", CHANNEL)
    _, other = await join(world, "v2", "visitor:v2")
    await join(world, "v3")
    world.publish(CHANNEL, n=1)
    assert len(first.messages) == len(second.messages) == 1
    assert first.messages[0] is second.messages[0]
    assert other.take() == []


async def test_publication_without_listeners_is_not_even_encoded(world: World) -> None:
    await join(world)
    world.registry.publish(CHANNEL, Publication(1, b"\xff"))


async def test_disconnect_closes_all_connections_of_the_user_and_no_other(world: World) -> None:
    _, first = await join(world, "v1", CHANNEL)
    _, second = await join(world, "v1")
    _, other = await join(world, "v2", "visitor:v2")
    world.registry.disconnect("v1", 4501, "session revoked")
    assert first.closed == second.closed == (4501, "session revoked", True)
    assert other.closed is None
    world.registry.disconnect("v1", 4501, "session revoked")
    world.registry.disconnect("nobody", 4501, "session revoked")


async def test_presence_counts_subscribed_connections(world: World) -> None:
    first, _ = await join(world, "v1", CHANNEL)
    second, _ = await join(world, "v1", CHANNEL)
    await join(world, "v2")
    assert world.registry.presence(CHANNEL) == {first.client: "v1", second.client: "v1"}
    assert world.registry.presence_stats([CHANNEL, "visitor:v2"]) == {
        CHANNEL: PresenceStats(num_clients=2, num_users=1),
        "visitor:v2": PresenceStats(num_clients=0, num_users=0),
    }
    first.end()
    assert world.registry.presence(CHANNEL) == {second.client: "v1"}


async def test_watch_hears_of_the_first_and_the_last_subscriber_only(world: World) -> None:
    first, _ = await join(world, "v1", CHANNEL)
    second, _ = await join(world, "v1", CHANNEL)
    first.end()
    assert world.watch.seen == [("connected", "v1", CHANNEL)]
    await second.receive(f'{{"id":3,"unsubscribe":{{"channel":"{CHANNEL}"}}}}')
    second.end()
    assert world.watch.seen == [("connected", "v1", CHANNEL), ("disconnected", "v1", CHANNEL)]


async def test_ended_sessions_leave_nothing_behind(world: World) -> None:
    sessions = [(await join(world, f"v{n}", f"visitor:v{n}"))[0] for n in range(3)]
    for session in sessions:
        session.end()
    assert world.registry.sessions == set()
    assert world.registry.channels == ()
    assert not any([world.registry._by_user, world.registry._listeners, world.registry._present])


async def test_drain_closes_everybody_spread_over_the_time_given(world: World) -> None:
    senders = [(await join(world))[1] for _ in range(4)]
    draining = asyncio.ensure_future(world.registry.drain(0.08))
    await asyncio.sleep(0.03)
    assert 1 <= sum(sender.closed == SHUTDOWN for sender in senders) <= 3
    await draining
    assert [sender.closed for sender in senders] == [SHUTDOWN] * 4


async def test_draining_process_takes_no_new_connection(world: World) -> None:
    await world.registry.drain(0)
    sender = RecordingSender()
    session = Session(world.gateway, sender)
    await session.receive('{"id":1,"connect":{"token":"' + connection_token() + '"}}')
    assert (sender.replies, sender.closed) == ([], SHUTDOWN)


async def test_metrics_tell_of_connections_and_queued_bytes(world: World) -> None:
    await join(world)
    _, sender = await join(world)
    sender.put(replies.PING)
    expected = sum(session.queued_bytes for session in world.registry.sessions)
    assert REGISTRY.get_sample_value("karibu_gateway_connections") == 2
    assert REGISTRY.get_sample_value("karibu_gateway_outbox_bytes") == expected > 0
