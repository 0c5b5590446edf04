"""Events to agents: one message per event to the organization's group on the channel layer."""

import asyncio

import structlog

from realtime.outgoing import Outgoing
from realtime.sinks.parts import Parts

log = structlog.stdlib.get_logger(__name__)

QUEUE_LIMIT = 10_000
PAUSE_S = 1


def group_of(organization_id: int) -> str:
    """The layer group of an organization's agents."""
    return f"agents.{organization_id}"


class AgentSink:
    """Sends in the order of commits as far as threads allow; the hub puts the rest right."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._queue: asyncio.Queue[Outgoing] = asyncio.Queue(QUEUE_LIMIT)

    def deliver(self, event: Outgoing) -> None:
        if event.agent_payload is None:
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            log.warning("agent_sink_full", type=event.type)

    async def run(self) -> None:
        while True:
            event = await self._queue.get()
            try:
                await self._send(event)
            except Exception:  # the layer is down: the log keeps it, the relay brings it again
                log.warning("agents_unreachable", waiting=self._queue.qsize(), exc_info=True)
                await asyncio.sleep(PAUSE_S)

    async def _send(self, event: Outgoing) -> None:
        await self._parts.feed.send(
            group_of(event.organization_id),
            {
                "type": "agents.event",
                "organization_id": event.organization_id,
                "site_id": event.site_id,
                "conversation_id": event.conversation_id,
                "audience": event.audience,
                "seq": event.seq,
                "frame": event.agent_frame(),
            },
        )
        if event.row_id is not None:
            self._parts.marks.agents_have(event.row_id)
