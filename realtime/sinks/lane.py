"""One contact's way to its channels: strictly in the order of the stream."""

import asyncio
from contextlib import suppress
from uuid import UUID

import structlog

from project import database
from realtime.bridge.interface import BridgeError
from realtime.log import read
from realtime.outgoing import Outgoing
from realtime.sinks.parts import Parts

log = structlog.stdlib.get_logger(__name__)

SENDER_HEAD_START_S = 0.1
SENDER_HEAD_START_LIMIT_S = 0.25
PREDECESSOR_PATIENCE_S = 0.02
PAGE = 200


class Lane:
    """Publishes number `cursor + 1`, and only that, next.

    Commits reach the process in almost, not exactly, the order of their numbers, and what a crash
    or an outage left behind is in the log only. So a missing number is waited for a moment, then
    read from the log.
    """

    def __init__(self, contact_id: int, cursor: int, parts: Parts) -> None:
        self.contact_id = contact_id
        self.cursor = cursor
        self.used_at = asyncio.get_running_loop().time()
        self._parts = parts
        self._waiting: dict[int, Outgoing] = {}
        self._due_at: dict[UUID, float] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        return not self._waiting

    def add(self, event: Outgoing) -> None:
        """Take over a numbered event; one that was already sent only has its mark renewed."""
        loop = asyncio.get_running_loop()
        self.used_at = loop.time()
        if event.stream_seq is None or event.row_id is None:
            raise ValueError(f"{event.type} has no place in a visitor's stream.")
        if event.stream_seq <= self.cursor:
            self._parts.marks.visitor_has(event.row_id)
            return
        if event.waits_for_sender:
            self._due_at[event.event_id] = loop.time() + SENDER_HEAD_START_LIMIT_S
        self._waiting.setdefault(event.stream_seq, event)
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._drain())

    def release(self, event_id: UUID) -> None:
        """The sender has its answer: its copy follows after the head start."""
        if event_id in self._due_at:
            soon = asyncio.get_running_loop().time() + SENDER_HEAD_START_S
            self._due_at[event_id] = min(self._due_at[event_id], soon)
            self._changed.set()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._advance()
        except Exception:  # the log keeps them; the relay brings them again, in order
            log.warning("visitors_unreachable", waiting=len(self._waiting), exc_info=True)
            self._waiting.clear()
            self._due_at.clear()

    async def _advance(self) -> None:
        event = self._waiting.get(self.cursor + 1)
        if event is None:
            await self._find_predecessor()
            return
        await self._until_due(event)
        try:
            await self._parts.bridge.broadcast(
                event.channels,
                event.visitor_envelope(),
                offset=event.stream_seq,
                event_id=str(event.event_id),
            )
        except BridgeError as error:
            if not error.permanent:
                raise
            # Somebody must look; another try could not help, and what follows need not wait.
            log.exception("visitor_event_refused", type=event.type, event_id=str(event.event_id))
        self._sent(event)

    def _sent(self, event: Outgoing) -> None:
        self.cursor += 1
        del self._waiting[self.cursor]
        self._due_at.pop(event.event_id, None)
        if event.row_id is not None:
            self._parts.marks.visitor_has(event.row_id)

    async def _until_due(self, event: Outgoing) -> None:
        loop = asyncio.get_running_loop()
        while (left := self._due_at.get(event.event_id, 0.0) - loop.time()) > 0:
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._changed.wait()

    async def _find_predecessor(self) -> None:
        await asyncio.sleep(PREDECESSOR_PATIENCE_S)
        if self.cursor + 1 in self._waiting:
            return
        found = await database.read(
            read.list_visitor_pending, self.contact_id, after=self.cursor, limit=PAGE
        )
        for event in found:
            if event.stream_seq is not None and event.stream_seq > self.cursor:
                self._waiting.setdefault(event.stream_seq, event)
        if self.cursor + 1 not in self._waiting:
            # Sent and marked before this lane began: what is next here is next there too.
            self.cursor = min(self._waiting) - 1
