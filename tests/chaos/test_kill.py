"""The process dies at any instant, and nobody loses, doubles or misorders a message."""

import asyncio
from random import Random

import pytest

from tests.chaos.world import World
from tests.services.karibu import KaribuServer

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

KILLS = 12
BOOTS_CUT_SHORT = 0.25


async def test_kill_at_any_instant_loses_nothing(server: KaribuServer, random: Random) -> None:
    async with World.inhabited(server, random) as world:
        for _ in range(KILLS):
            await world.kill()
            if random.random() < BOOTS_CUT_SHORT:
                server.launch()
                await asyncio.sleep(random.uniform(0, 1.5))
                server.kill()
            await asyncio.to_thread(server.start)
            await world.open_tab(random.choice(world.visitors))
        await world.fall_silent()
        await world.check()
        assert world.failures == 0
