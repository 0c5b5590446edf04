"""Raw frames over ASGI, as uvicorn hands them over."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from realtime.gateway.consumer import GatewayConsumer
from tests.realtime.gateway.fakes import (
    SHORT,
    Socket,
    World,
    connection_token,
    subscription_token,
)

CHANNEL = "visitor:v1"
CONNECT = {"id": 1, "connect": {"token": connection_token()}}
SUBSCRIBE = {"id": 2, "subscribe": {"channel": CHANNEL, "token": subscription_token()}}


def padded(size: int) -> str:
    """A connect frame of so many bytes."""
    frame = json.dumps(CONNECT | {"pad": ""})
    return frame.replace('"pad": ""', '"pad": "' + "x" * (size - len(frame)) + '"')


async def test_one_frame_gets_its_replies_in_one_frame(world: World) -> None:
    async with Socket(world) as socket:
        await socket.send(json.dumps(CONNECT) + "\n" + json.dumps(SUBSCRIBE))
        connected, subscribed = await socket.receive()
        assert connected["connect"]["pong"] is True
        assert subscribed["subscribe"]["recoverable"] is True
        world.publish(CHANNEL, n=1)
        (push,) = await socket.receive()
        assert push["push"]["pub"]["data"] == {"n": 1}
    assert world.registry.sessions == set()
    assert world.watch.seen == [("connected", "v1", CHANNEL), ("disconnected", "v1", CHANNEL)]


async def test_binary_frame_with_json_is_accepted(world: World) -> None:
    async with Socket(world) as socket:
        await socket.send(json.dumps(CONNECT).encode())
        assert "connect" in (await socket.receive())[0]


@pytest.mark.parametrize("frame", ["", "nonsense", b"\xff\xfe"])
async def test_frame_that_is_no_json_is_closed(world: World, frame: str | bytes) -> None:
    async with Socket(world) as socket:
        await socket.send(frame)
        assert await socket.receive_close() == (3501, "bad request")


@pytest.mark.parametrize("binary", [False, True])
async def test_largest_frame_is_accepted(world: World, binary: bool) -> None:
    frame = padded(65_536)
    async with Socket(world) as socket:
        await socket.send(frame.encode() if binary else frame)
        assert "connect" in (await socket.receive())[0]


@pytest.mark.parametrize(
    "frame",
    [padded(65_537), padded(65_537).encode(), padded(65_536).replace("x", "é", 1)],
    ids=["text", "binary", "bytes, not characters"],
)
async def test_larger_frame_is_closed_1009_without_a_reason(
    world: World, frame: str | bytes
) -> None:
    async with Socket(world) as socket:
        await socket.send(frame)
        assert await socket.receive_close() == (1009, "")


async def test_refused_connect_is_cut_without_a_close_frame(world: World) -> None:
    async with Socket(world) as socket:
        await socket.send({"id": 1, "connect": {"token": connection_token(ttl=-1)}})
        assert (await socket.receive())[0]["error"]["code"] == 109
        await socket.send(CONNECT)
        assert await socket.hears_nothing(0.02)
        assert not socket._app.future.done()
        assert await socket.ended()
        assert await socket.hears_nothing()


async def test_refused_client_may_go_before_it_is_cut(world: World) -> None:
    world = World(replace(SHORT, refused_close_delay=60))
    async with Socket(world) as socket:
        await socket.send({"id": 1, "connect": {"token": connection_token(ttl=-1)}})
        await socket.receive()


async def test_frames_after_the_close_are_ignored(world: World) -> None:
    async with Socket(world) as socket:
        await socket.send(CONNECT)
        await socket.receive()
        world.registry.disconnect("v1", 4501, "session revoked")
        assert await socket.receive_close() == (4501, "session revoked")
        await socket.send(SUBSCRIBE)
        assert await socket.hears_nothing()


class Server:
    """Runs the consumer with a `send` and `receive` of the test's own."""

    def __init__(self, world: World, *events: Any) -> None:
        self.inbox: asyncio.Queue[Any] = asyncio.Queue()
        self.sent: list[Any] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None
        for event in ({"type": "websocket.connect"}, *events):
            self.inbox.put_nowait(event)
        app: Any = GatewayConsumer.as_asgi(gateway=world.gateway)
        self.task = asyncio.ensure_future(app({}, self.inbox.get, self.send))

    async def send(self, event: Any) -> None:
        await self.open.wait()
        if self.error is not None:
            raise self.error
        self.sent.append(event)


def text(*frames: dict[str, Any]) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": "\n".join(map(json.dumps, frames))}


async def test_consumer_that_the_server_cancels_cleans_up(world: World) -> None:
    server = Server(world, text(CONNECT, SUBSCRIBE))
    await asyncio.sleep(0.01)
    assert len(world.registry.sessions) == 1
    server.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server.task
    assert world.registry.sessions == set()
    assert world.watch.seen[-1] == ("disconnected", "v1", CHANNEL)


async def test_socket_that_fails_on_writing_cleans_up_when_its_reading_ends(world: World) -> None:
    server = Server(world, text(CONNECT, SUBSCRIBE))
    await asyncio.sleep(0.01)
    server.error = OSError("gone")
    world.publish(CHANNEL, n=1)
    server.inbox.put_nowait({"type": "websocket.disconnect", "code": 1006})
    await server.task
    assert world.registry.sessions == set()


async def test_deaf_reader_is_closed_as_slow_and_then_dropped() -> None:
    world = World(replace(SHORT, queue_max_bytes=1_000))
    server = Server(world, text(CONNECT, SUBSCRIBE))
    await asyncio.sleep(0.01)
    server.open.clear()
    for n in range(20):
        world.publish(CHANNEL, n=n, text="x" * 100)
        await asyncio.sleep(0)
    assert world.registry.sessions == set()
    await asyncio.wait_for(server.task, 1)
    assert [event["type"] for event in server.sent] == ["websocket.accept", "websocket.send"]


async def test_idle_connection_has_one_task(world: World) -> None:
    before = asyncio.all_tasks()
    server = Server(world, text(CONNECT, SUBSCRIBE))
    await asyncio.sleep(0.01)
    assert asyncio.all_tasks() - before == {server.task}
    server.inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await server.task
