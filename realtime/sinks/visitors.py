"""Events to visitors: through the contact's lane to the bridge."""

import asyncio
from uuid import UUID

import structlog

from realtime.bridge.interface import BridgeError
from realtime.outgoing import Outgoing
from realtime.sinks.lane import Lane
from realtime.sinks.parts import Parts

log = structlog.stdlib.get_logger(__name__)

LANE_REST_S = 10
SWEEP_S = 5


class VisitorSink:
    """Keeps a lane for each contact that something goes to at present."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lanes: dict[int, Lane] = {}
        self._fleeting: set[asyncio.Task[None]] = set()

    def deliver(self, event: Outgoing) -> None:
        if event.visitor_payload is None or event.contact_id is None:
            return
        if event.stream_seq is None:
            task = asyncio.get_running_loop().create_task(self._send_once(event))
            self._fleeting.add(task)
            task.add_done_callback(self._fleeting.discard)
            return
        lane = self._lanes.get(event.contact_id)
        if lane is None:
            first = event.stream_seq if event.pending_from is None else event.pending_from
            lane = self._lanes[event.contact_id] = Lane(event.contact_id, first - 1, self._parts)
        lane.add(event)

    def release(self, contact_id: int, event_id: UUID) -> None:
        """The sender of this message has got its HTTP answer."""
        if contact_id in self._lanes:
            self._lanes[contact_id].release(event_id)

    async def run(self) -> None:
        """Forget lanes that rest; a later event begins a new one from what the log says."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_S)
            for lane in list(self._lanes.values()):
                if lane.idle and loop.time() - lane.used_at > LANE_REST_S:
                    del self._lanes[lane.contact_id]

    async def _send_once(self, event: Outgoing) -> None:
        try:
            await self._parts.bridge.broadcast(
                event.channels,
                event.visitor_envelope(),
                offset=None,
                event_id=str(event.event_id),
            )
        except BridgeError:
            log.info("ephemeral_lost", type=event.type)
