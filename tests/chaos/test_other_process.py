"""What another process has stored, which delivers nothing, reaches those who are connected."""

import asyncio
from random import Random
from time import monotonic

import pytest

from tests.chaos.world import World
from tests.services.karibu import KaribuServer

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(60)]

WITHIN_S = 5
"""Two seconds until it counts as forgotten, one until the next round, and a slow machine."""

SEND = """
from django.utils import timezone
from webchat.queries.agent import find_by_token
from webchat.services.message.agent import send_agent_message
agent = find_by_token("{token}", now=timezone.now())
sent = send_agent_message(
    agent=agent, conversation_id={conversation_id}, content="Psst", now=timezone.now()
)
print(sent.message.id)
"""


async def test_message_of_another_process_reaches_everybody(
    server: KaribuServer, random: Random
) -> None:
    async with World.inhabited(server, random, breaking_lines=False) as world:
        await asyncio.sleep(0.5)
        await world.fall_silent()
        visitor = world.visitors[0]
        code = SEND.format(
            token=server.demo["agent"]["token"], conversation_id=visitor.engagement_id
        )
        sent = await asyncio.to_thread(server.manage, "shell", "--no-imports", "-c", code)
        assert sent.returncode == 0, sent.stderr
        message_id = int(sent.stdout)
        stored_at = monotonic()
        await world.fall_silent()
        assert monotonic() - stored_at < WITHIN_S
        assert visitor.tabs[0].heard[-1] == message_id
        for agent in world.agents:
            assert agent.messages(visitor.engagement_id)[-1]["data"]["id"] == message_id
