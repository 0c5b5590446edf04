"""PostgreSQL dies or restarts under the server, which may fail calls but loses nothing."""

import asyncio
from collections.abc import Iterator
from random import Random

import pytest

from tests.chaos.world import AGENTS, World
from tests.services.karibu import KaribuServer
from tests.services.postgres import PostgresServer

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(120),
]

AWAY_S = 1
"""Long enough for a killed server's children to end, which hold its memory."""


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """Start one of its own: others need the run's."""
    with PostgresServer() as server:
        yield server


async def test_database_away_loses_nothing(postgres: PostgresServer, random: Random) -> None:
    with KaribuServer(database_url=postgres.url, agents=AGENTS) as server:
        async with World.inhabited(server, random) as world:
            for end in (postgres.kill, postgres.stop, postgres.kill):
                await asyncio.sleep(random.uniform(0, 2))
                await asyncio.to_thread(end)
                await asyncio.sleep(AWAY_S)
                await asyncio.to_thread(postgres.start)
            await world.fall_silent()
            await world.check()
