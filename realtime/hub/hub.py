"""All agents' sockets of this process (docs/decisions/0004)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import structlog
from django.utils import timezone
from prometheus_client import Gauge

from project import database
from realtime.close_codes import CloseCode
from realtime.feed import Feed
from realtime.hub.frames import Frame
from realtime.hub.organization import OrganizationHub
from realtime.hub.socket import AgentSocket
from realtime.log import read
from realtime.sinks.agents import group_of
from webchat.queries import agent as agents
from webchat.queries import conversation as conversations

log = structlog.stdlib.get_logger(__name__)

HEARTBEAT_S = 5
RECHECK_S = 1.2
COUNTS_S = 0.25

SOCKETS = Gauge("karibu_agent_sockets", "Agents' open sockets")


class Hub:
    """Joins the layer once per organization that has sockets here, and looks after the sockets."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._organizations: dict[int, OrganizationHub] = {}
        self._joining = asyncio.Lock()
        self._recount: set[int] = set()
        self._draining = False
        feed.on("agents.event", self._receive)

    async def join(self, organization_id: int) -> OrganizationHub:
        """The organization's stream, running. The group is joined before the head is read."""
        async with self._joining:
            organization = self._organizations.get(organization_id)
            if organization is None:
                organization = OrganizationHub(organization_id)
                self._organizations[organization_id] = organization
                try:
                    await self._feed.join(group_of(organization_id))
                    heads = await database.read(read.get_heads, [organization_id])
                except BaseException:
                    del self._organizations[organization_id]
                    raise
                organization.start(heads.get(organization_id, 0))
        return organization

    def attach(self, organization: OrganizationHub, socket: AgentSocket) -> None:
        """From here on the socket gets every frame that it hears."""
        organization.sockets.add(socket)
        SOCKETS.inc()
        if self._draining:
            socket.close(CloseCode.RESTARTING, "server restarting")

    def detach(self, organization: OrganizationHub, socket: AgentSocket) -> None:
        """May be called twice."""
        if socket in organization.sockets:
            organization.sockets.discard(socket)
            SOCKETS.dec()

    def sockets(self) -> list[AgentSocket]:
        return [socket for each in self._organizations.values() for socket in each.sockets]

    async def drain(self, spread_s: float) -> None:
        """Send everybody elsewhere, spread out so that they don't all come back in one instant."""
        self._draining = True
        everyone = self.sockets()
        for socket in everyone:
            socket.close(CloseCode.RESTARTING, "server restarting")
            await asyncio.sleep(spread_s / len(everyone))

    async def run(self) -> None:
        await asyncio.gather(
            _every(HEARTBEAT_S, self._beat),
            _every(RECHECK_S, self._recheck),
            _every(COUNTS_S, self._send_counts),
        )

    def _receive(self, message: dict[str, Any]) -> None:
        organization = self._organizations.get(message["organization_id"])
        if organization is None:
            return
        frame = Frame.from_message(message)
        organization.receive(frame)
        if frame.seq is not None:
            self._recount.add(organization.organization_id)

    async def _beat(self) -> None:
        heads = await database.read(read.get_heads, list(self._organizations))
        for organization in self._organizations.values():
            organization.notice_head(heads.get(organization.organization_id, 0))
            for socket in organization.sockets:
                socket.push_head(organization.head)

    async def _recheck(self) -> None:
        """Close the sockets of those who may no longer be here, however that came about.

        Asked of the database rather than told by whoever revokes: no way of ending a membership,
        session or token can be forgotten.
        """
        everyone = self.sockets()
        if not everyone:
            return
        standing = await database.read(
            agents.list_standing, {socket.agent for socket in everyone}, now=timezone.now()
        )
        for socket in everyone:
            now_is = standing.get(socket.agent)
            if now_is is None:
                socket.close(CloseCode.FORBIDDEN, "membership or session revoked")
            else:
                socket.agent = now_is

    async def _send_counts(self) -> None:
        recount, self._recount = self._recount, set()
        for organization_id in recount:
            organization = self._organizations[organization_id]
            listening = [each for each in organization.sockets if each.list_counts is not None]
            if listening:
                counted = await database.read(conversations.count_open, organization_id)
                for socket in listening:
                    _push_counts(socket, conversations.counts_for(socket.agent, counted))


def _push_counts(socket: AgentSocket, counts: dict[str, int]) -> None:
    if socket.list_counts != counts:
        socket.list_counts = dict(counts)
        frame = {"type": "counts.changed", "event_id": str(uuid4()), "conversation_id": None}
        socket.push_text(json.dumps({**frame, "data": counts}))


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await work()
        except Exception:  # the database is away: the next round tries again
            log.warning("hub_round_failed", work=work.__name__, exc_info=True)
