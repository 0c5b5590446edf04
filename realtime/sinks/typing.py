"""Ends typing that nobody ended: 6 s after the last start (spec: widget contract, Realtime)."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from realtime.outgoing import Outgoing
from realtime.sinks.parts import Parts

EXPIRY_S = 6


class TypingExpiry:
    """A typist's starts come through one process, where the timer runs; no row, no query."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def deliver(self, event: Outgoing) -> None:
        if not event.type.startswith("typing."):
            return
        running = self._timers.pop(event.topic, None)
        if running is not None:
            running.cancel()
        if event.type == "typing.started":
            loop = asyncio.get_running_loop()
            self._timers[event.topic] = loop.call_later(EXPIRY_S, self._stop, event)

    async def run(self) -> None:
        """Timers are all it has."""

    def _stop(self, started: Outgoing) -> None:
        stopped = replace(
            started,
            event_id=uuid4(),
            type="typing.stopped",
            visitor_type="typing.stopped" if started.visitor_type else None,
        )
        self._parts.deliver([stopped])
