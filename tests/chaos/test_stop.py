"""SIGTERM in the middle of everything: an orderly farewell, in time, and nothing lost."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, aclosing
from random import Random

import pytest

from tests.chaos.visitor import Visitor
from tests.chaos.world import MESSAGES, World
from tests.services.karibu import KaribuServer

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

RESTARTING, SHUTDOWN = 1012, 3001


async def test_stop_in_mid_load_says_farewell_and_loses_nothing(
    server: KaribuServer, random: Random
) -> None:
    async with World.inhabited(server, random, breaking_lines=False) as world:
        await asyncio.sleep(1)
        server.terminate()
        assert await asyncio.to_thread(server.wait) == 0
        assert [agent.closes for agent in world.agents] == [{RESTARTING: 1}] * len(world.agents)
        assert [tab.closes for tab in world.tabs] == [{SHUTDOWN: 1}] * len(world.tabs)
        await asyncio.to_thread(server.start)
        await world.fall_silent()
        await world.check()
        assert world.failures == 0


@pytest.fixture
def idlers(server: KaribuServer) -> Iterator[None]:
    """Hold connections that keep a server waiting: silent, with half a request, kept for more."""
    beginnings = (
        b"",
        b"POST /v1/webchat/messages HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{",
        b"GET /connection/websocket HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
    )
    with ExitStack() as stack:
        for beginning in beginnings:
            line = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            line.sendall(beginning)
        yield


@pytest.mark.usefixtures("idlers")
async def test_stop_does_not_wait_for_the_deaf_and_the_dumb(
    server: KaribuServer, random: Random
) -> None:
    async with World.inhabited(server, random, breaking_lines=False) as world:
        for client in world.listeners:
            client.stop_listening()
        await asyncio.sleep(1)
        server.terminate()
        assert await asyncio.to_thread(server.wait) == 0
        for client in world.listeners:
            client.drop()
        await asyncio.to_thread(server.start)
        await world.fall_silent()
        await world.check()
        assert world.failures == 0


async def test_stop_does_not_wait_for_a_locked_database(
    erring_server: KaribuServer, random: Random
) -> None:
    server = erring_server
    async with aclosing(
        Visitor(server.base_url, server.demo["site"]["widget_key"], random)
    ) as visitor:
        await visitor.begin()
        with server.locked():
            writing = asyncio.create_task(visitor.write("Is anybody there?"))
            await asyncio.sleep(0.5)
            server.terminate()
            assert await asyncio.to_thread(server.wait) == 1
            assert "stop_took_too_long" in server.output()
        await asyncio.to_thread(server.start)
        await writing
    rows = server.query(MESSAGES)
    stored = [id for id, _, visitor_id, _ in rows if visitor_id == visitor.visitor_id]
    assert stored == list(visitor.acknowledged.values())


def test_second_server_on_the_same_data_is_refused(server: KaribuServer) -> None:
    refused = server.manage("serve", KARIBU_PORT="1")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"CommandError: Another server uses {server.data}. Stop it, or set KARIBU_DATA_DIR and "
        "KARIBU_PORT to run a second copy beside it.\n"
    )


def test_taken_port_is_one_line_that_names_the_variable(server: KaribuServer) -> None:
    refused = server.manage("serve", KARIBU_DATA_DIR=str(server.folder))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"CommandError: Cannot listen on 127.0.0.1:{server.port} (Address already in use). "
        "Choose another KARIBU_PORT.\n"
    )
