"""A process's part in presence: it tells of arrivals in batches and renews who is here."""

import asyncio
from collections import Counter
from datetime import datetime

import structlog
from django.utils import timezone

from project import database
from webchat.principal import Agent
from webchat.services import activity
from webchat.services import presence as service

log = structlog.stdlib.get_logger(__name__)

BATCH_S = 0.2
RENEW_S = 15

AgentKey = tuple[int, int]
"""Organization id and user id."""


class Presence:
    """Counts this process's own connections only; what all processes know is in the rows.

    Whoever is connected is noted again every few seconds, so what an outage swallowed heals.
    """

    def __init__(self) -> None:
        self._visitors: Counter[int] = Counter()
        self._organizations: dict[int, int] = {}
        self._agents: dict[AgentKey, list[Agent]] = {}
        self._visitors_arrived: set[int] = set()
        self._visitors_left: set[int] = set()
        self._agents_arrived: set[AgentKey] = set()
        self._agents_left: set[AgentKey] = set()
        self._looked_away: list[tuple[Agent, int]] = []

    def visitor_arrived(self, contact_id: int, organization_id: int) -> None:
        self._visitors[contact_id] += 1
        self._organizations[contact_id] = organization_id
        self._visitors_arrived.add(contact_id)

    def visitor_left(self, contact_id: int) -> None:
        self._visitors[contact_id] -= 1
        if self._visitors[contact_id] <= 0:
            del self._visitors[contact_id]
            self._visitors_left.add(contact_id)

    def agent_arrived(self, agent: Agent) -> None:
        self._agents.setdefault(_key(agent), []).append(agent)
        self._agents_arrived.add(_key(agent))

    def agent_left(self, agent: Agent, *, viewing: int | None) -> None:
        others = self._agents[_key(agent)]
        others.pop()
        if not others:
            del self._agents[_key(agent)]
            self._agents_left.add(_key(agent))
        if viewing is not None:
            self._looked_away.append((agent, viewing))

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        renewed_at = loop.time()
        while True:
            await asyncio.sleep(BATCH_S)
            try:
                if loop.time() - renewed_at > RENEW_S:
                    renewed_at = loop.time()
                    self.renew()
                await self.flush()
            except Exception:  # the database is away: leases outlast it for a while
                log.warning("presence_delayed", exc_info=True)

    def renew(self) -> None:
        """Note everybody who is connected here once more, at the next flush."""
        self._visitors_arrived |= set(self._visitors)
        self._agents_arrived |= set(self._agents)

    async def flush(self) -> None:
        """Write down who came and who went since the last time."""
        now = timezone.now()
        arrived, self._visitors_arrived = self._visitors_arrived, set()
        left, self._visitors_left = self._visitors_left, set()
        contacts = {contact_id: self._organizations[contact_id] for contact_id in arrived}
        for contact_id in left - set(self._visitors):
            self._organizations.pop(contact_id, None)
        if contacts:
            await database.write(service.visitors_arrived, contacts=contacts, now=now)
        if left:
            await database.write(service.visitors_left, contact_ids=left, now=now)
        await self._flush_agents(now)

    async def _flush_agents(self, now: datetime) -> None:
        arrived, self._agents_arrived = self._agents_arrived, set()
        left, self._agents_left = self._agents_left, set()
        looked_away, self._looked_away = self._looked_away, []
        present = [self._agents[key][0] for key in arrived if key in self._agents]
        if present:
            await database.write(service.agents_arrived, agents=present, now=now)
        if left:
            await database.write(service.agents_left, agents=left, now=now)
        for agent, conversation_id in looked_away:
            await database.write(
                activity.agent_viewing,
                agent=agent,
                conversation_id=conversation_id,
                viewing=False,
                now=now,
            )


def _key(agent: Agent) -> AgentKey:
    return agent.organization_id, agent.user_id
