"""One organization's stream in this process: complete, in order, and spread to its sockets."""

import asyncio
from collections import deque
from collections.abc import Iterable

import structlog
from prometheus_client import Counter

from project import database
from realtime.hub.frames import Frame
from realtime.hub.socket import AgentSocket
from realtime.log import read

log = structlog.stdlib.get_logger(__name__)

RING = 1000
PREDECESSOR_PATIENCE_S = 0.02
PAGE = 500

GAPS = Counter("karibu_hub_gaps", "Gaps of the layer that were filled from the log")


class OrganizationHub:
    """`head` is the last seq that was passed on; what comes out of turn waits for its predecessors.

    A frame arrives early when two commits are handed over in the other order (about a millisecond
    apart), and a frame is lost when the layer drops it: the first heals by waiting a moment, the
    second by reading the log, once for all sockets.
    """

    def __init__(self, organization_id: int) -> None:
        self.organization_id = organization_id
        self.head = 0
        self.started = False
        self.sockets: set[AgentSocket] = set()
        self._ring: deque[Frame] = deque(maxlen=RING)
        self._early: dict[int, Frame] = {}
        self._repair: asyncio.Task[None] | None = None

    def start(self, head: int) -> None:
        """Begin after a seq that was read once the layer's group had been joined."""
        self.head = head
        self.started = True
        self._accept_early()
        if self._early:
            self.repair()

    def receive(self, frame: Frame) -> None:
        """A frame from the layer, in whatever order."""
        if frame.seq is None:
            self._spread(frame)
        elif not self.started:
            self._early[frame.seq] = frame
        elif frame.seq == self.head + 1:
            self._accept(frame)
            self._accept_early()
        elif frame.seq > self.head:
            self._early[frame.seq] = frame
            self.repair()

    def notice_head(self, seq: int) -> None:
        """The database's head: above ours means that the layer lost the last frames."""
        if seq > self.head:
            self.repair(up_to=seq)

    def since(self, after: int) -> list[Frame] | None:
        """The frames after a seq, from memory; None where memory does not reach back so far."""
        missed = self.head - after
        if missed <= 0:
            return []
        if missed > len(self._ring):
            return None
        return list(self._ring)[-missed:]

    def repair(self, up_to: int = 0) -> None:
        """Fill what is missing below an early frame, or up to a known head."""
        if self._repair is None or self._repair.done():
            self._repair = asyncio.get_running_loop().create_task(self._try_to_fill(up_to))

    async def _try_to_fill(self, up_to: int) -> None:
        await asyncio.sleep(PREDECESSOR_PATIENCE_S)
        try:
            await self._fill(up_to)
        except Exception:  # the database is away: the next head that is noticed tries again
            log.warning("hub_repair_failed", organization_id=self.organization_id, exc_info=True)

    async def _fill(self, up_to: int) -> None:
        while self.head < (target := max([up_to, *self._early])):
            events = await database.read(
                read.list_after, self.organization_id, self.head, limit=PAGE, up_to=target
            )
            GAPS.inc()
            self._accept_logged(Frame.from_log(event) for event in events)
            if not events:
                # Numbers are gap-free, so the log was trimmed below: clients are behind it too.
                log.warning("hub_skipped", organization_id=self.organization_id)
                self.head = min([seq for seq in self._early if seq > self.head] or [target + 1]) - 1
                self._ring.clear()
                self._accept_early()

    def _accept_logged(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            if frame.seq == self.head + 1:
                self._accept(frame)
        self._accept_early()

    def _accept_early(self) -> None:
        while (frame := self._early.pop(self.head + 1, None)) is not None:
            self._accept(frame)
        for seq in [seq for seq in self._early if seq <= self.head]:
            del self._early[seq]

    def _accept(self, frame: Frame) -> None:
        self.head += 1
        self._ring.append(frame)
        self._spread(frame)

    def _spread(self, frame: Frame) -> None:
        for socket in self.sockets:
            if socket.hears(frame):
                socket.push(frame)
