"""A process's part in presence: it tells of arrivals in batches and renews who is here."""

import asyncio
from collections import Counter

import structlog
from django.utils import timezone

from project import database
from webchat.principal import Agent
from webchat.services import activity
from webchat.services import presence as service

log = structlog.stdlib.get_logger(__name__)

BATCH_S = 0.2
RENEW_S = 15


class Presence:
    """Counts this process's own connections only; what all processes know is in the rows."""

    def __init__(self) -> None:
        self._visitors: Counter[int] = Counter()
        self._agents: Counter[tuple[int, int]] = Counter()
        self._arrived: dict[int, int] = {}
        self._left: set[int] = set()
        self._agents_arrived: dict[tuple[int, int], Agent] = {}
        self._agents_left: set[tuple[int, int]] = set()
        self._looked_away: list[tuple[Agent, int]] = []

    def visitor_arrived(self, contact_id: int, organization_id: int) -> None:
        self._visitors[contact_id] += 1
        self._arrived[contact_id] = organization_id

    def visitor_left(self, contact_id: int) -> None:
        self._visitors[contact_id] -= 1
        if self._visitors[contact_id] <= 0:
            del self._visitors[contact_id]
            self._left.add(contact_id)

    def agent_arrived(self, agent: Agent) -> None:
        key = (agent.organization_id, agent.user_id)
        self._agents[key] += 1
        self._agents_arrived[key] = agent

    def agent_left(self, agent: Agent, *, viewing: int | None) -> None:
        key = (agent.organization_id, agent.user_id)
        self._agents[key] -= 1
        if self._agents[key] <= 0:
            del self._agents[key]
            self._agents_left.add(key)
        if viewing is not None:
            self._looked_away.append((agent, viewing))

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        renewed_at = loop.time()
        while True:
            await asyncio.sleep(BATCH_S)
            try:
                await self.flush()
                if loop.time() - renewed_at > RENEW_S:
                    renewed_at = loop.time()
                    await self._renew(set(self._visitors), set(self._agents))
            except Exception:  # the database is away: leases outlast it for a while
                log.warning("presence_delayed", exc_info=True)

    async def flush(self) -> None:
        """Write down who came and who went since the last time."""
        arrived, self._arrived = self._arrived, {}
        agents, self._agents_arrived = self._agents_arrived, {}
        left, self._left = self._left, set()
        agents_left, self._agents_left = self._agents_left, set()
        looked_away, self._looked_away = self._looked_away, []
        now = timezone.now()
        if arrived:
            await database.write(service.visitors_arrived, contacts=arrived, now=now)
        for agent in agents.values():
            await database.write(service.agent_arrived, agent=agent, now=now)
        for agent, conversation_id in looked_away:
            await database.write(
                activity.agent_viewing,
                agent=agent,
                conversation_id=conversation_id,
                viewing=False,
                now=now,
            )
        await self._renew(left, agents_left)

    async def _renew(self, visitors: set[int], agents: set[tuple[int, int]]) -> None:
        now = timezone.now()
        if visitors:
            await database.write(service.renew_visitors, contact_ids=visitors, now=now)
        if agents:
            await database.write(service.renew_agents, agents=agents, now=now)
