"""What only the gateway does on demand: restarts, losses, short times, slow readers."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from realtime.gateway.options import GatewayOptions
from tests.contract.backends import (
    GatewayServer,
    connection_token,
    new_visitor,
    subscription_token,
)
from tests.contract.clients import OfficialClient

pytestmark = pytest.mark.contract

QUICK = GatewayOptions(
    ping_interval=0.2,
    pong_timeout=0.1,
    stale_close_delay=0.2,
    refused_close_delay=0.1,
    close_deadline=0.3,
)
KILOBYTE = "x" * 1024


@pytest.mark.parametrize("recovered", [True, False], ids=["same epoch", "another epoch"])
async def test_restart(client_class: type[OfficialClient], recovered: bool) -> None:
    with GatewayServer() as server:
        async with client_class(server) as client:
            await client.hear("subscribed")
            await server.publish(client.channel, {"n": 1})
            await client.hear_publications(1)
            await asyncio.to_thread(server.stop)
            server.streams.append(client.channel, {"n": 2})
            server.streams.epoch = server.streams.epoch if recovered else "another"
            server.start()
            subscribed = await client.hear("subscribed", count=2)
            assert (subscribed["wasRecovering"], subscribed["recovered"]) == (True, recovered)
            await server.publish(client.channel, {"n": 3})
            await client.hear_publications(1, *([2] if recovered else []), 3)


async def test_lost_publication_is_recovered_when_the_next_one_shows_the_gap(
    gateway_server: GatewayServer, client_class: type[OfficialClient]
) -> None:
    async with client_class(gateway_server) as client:
        await client.hear("subscribed")
        await gateway_server.lose(client.channel, {"n": 1})
        await gateway_server.publish(client.channel, {"n": 2})
        assert (await client.hear("subscribing", count=2))["code"] == 2500
        await client.hear_publications(1, 2)
        assert len(client.heard("connected", "client")) == 1


async def test_answered_pings_keep_a_client_connected(client_class: type[OfficialClient]) -> None:
    with GatewayServer(QUICK) as server:
        async with client_class(server) as client:
            await client.hear("subscribed")
            await asyncio.sleep(1)
            await server.publish(client.channel, {"n": 1})
            await client.hear_publications(1)
            assert len(client.heard("connected", "client")) == 1


class Raw:
    """A connected and subscribed WebSocket without a client library's manners."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.visitor = new_visitor()
        self.channel = f"visitor:{self.visitor}"

    async def join(self) -> None:
        commands: tuple[dict[str, Any], ...] = (
            {"id": 1, "connect": {"token": connection_token(self.visitor)}},
            {
                "id": 2,
                "subscribe": {"channel": self.channel, "token": subscription_token(self.visitor)},
            },
        )
        await self.socket.send("\n".join(map(json.dumps, commands)))
        replies = str(await self.socket.recv()).split("\n")
        assert [json.loads(reply).keys() for reply in replies] == [
            {"id", "connect"},
            {"id", "subscribe"},
        ]

    async def read_to_the_end(self) -> tuple[int | None, str | None]:
        """The close code that the client sees; 1006 where there was no close frame."""
        try:
            async with asyncio.timeout(5):
                while True:
                    await self.socket.recv()
        except ConnectionClosed:
            return self.socket.close_code, self.socket.close_reason


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(5):
        while not await condition():  # noqa: ASYNC110 another thread
            await asyncio.sleep(0.01)


async def test_client_that_never_answers_a_ping_is_closed() -> None:
    with GatewayServer(QUICK) as server:
        async with connect(server.url) as socket:
            raw = Raw(socket)
            await raw.join()
            assert await raw.read_to_the_end() == (3012, "no pong")


async def test_socket_without_connect_is_closed() -> None:
    with GatewayServer(QUICK) as server:
        async with connect(server.url) as socket:
            assert await Raw(socket).read_to_the_end() == (3502, "stale")


async def test_refused_connect_ends_without_a_close_frame() -> None:
    with GatewayServer(QUICK) as server:
        async with connect(server.url) as socket:
            raw = Raw(socket)
            command = {"id": 1, "connect": {"token": connection_token(raw.visitor, -1)}}
            await socket.send(json.dumps(command))
            assert '"code":109' in str(await socket.recv())
            assert await raw.read_to_the_end() == (1006, "")


async def fill(server: GatewayServer, raw: Raw) -> None:
    """Publish until the gateway gives the reader up."""
    async with asyncio.timeout(10):
        while await server.connections(raw.channel):
            await server.publish_all(raw.channel, range(20), text=20 * KILOBYTE)


async def test_slow_reader_that_reads_on_is_told() -> None:
    with GatewayServer() as server:
        async with connect(server.url, max_queue=1) as socket:
            raw = Raw(socket)
            await raw.join()
            await fill(server, raw)
            assert await raw.read_to_the_end() == (3008, "slow")


async def test_deaf_reader_is_dropped_and_leaves_no_connection_behind() -> None:
    options = GatewayOptions(close_deadline=0.2)
    with GatewayServer(options) as server:
        async with connect(server.url, max_queue=1) as socket:
            raw = Raw(socket)
            await raw.join()
            assert await server.open_sockets() == 1
            await fill(server, raw)
            await until(lambda: no_socket(server))
            assert (await raw.read_to_the_end())[0] == 1006


async def no_socket(server: GatewayServer) -> bool:
    return await server.open_sockets() == 0


async def test_clients_that_vanish_during_a_broadcast_leave_nothing_behind() -> None:
    with GatewayServer() as server:
        visitors = [Raw(await connect(server.url)) for _ in range(50)]
        for raw in visitors:
            await raw.join()
        broadcasting = asyncio.ensure_future(broadcast(server, [raw.channel for raw in visitors]))
        for raw in visitors:
            raw.socket.transport.abort()
        await broadcasting
        await until(lambda: no_socket(server))
        await until(lambda: server.on_loop(lambda: not server.registry.sessions))
        assert server.registry.channels == ()
        assert sorted(
            visitor for kind, visitor, _ in server.watch.seen if kind == "disconnected"
        ) == (sorted(raw.visitor for raw in visitors))


async def broadcast(server: GatewayServer, channels: list[str]) -> None:
    for n in range(20):
        for channel in channels:
            await server.publish(channel, {"n": n})


async def test_drain_tells_everybody_to_come_back() -> None:
    with GatewayServer() as server:
        visitors = [Raw(await connect(server.url)) for _ in range(5)]
        for raw in visitors:
            await raw.join()
        draining = asyncio.run_coroutine_threadsafe(server.registry.drain(0.1), server.loop)
        ends = [await raw.read_to_the_end() for raw in visitors]
        assert ends == [(3001, "shutdown")] * 5
        await asyncio.wrap_future(draining)
