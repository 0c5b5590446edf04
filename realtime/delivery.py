"""The way from a committed transaction, in whatever thread, to the sinks on the event loop."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from realtime.outgoing import Outgoing

log = structlog.stdlib.get_logger(__name__)

COALESCE_S = 0.1


class Sink(Protocol):
    """One kind of readers. The classes are named in the setting REALTIME_SINKS."""

    def deliver(self, event: Outgoing) -> None:
        """Take an event over, at once and without failing; runs on the event loop.

        A sink has queues and tasks of its own. What it cannot deliver stays pending in the log,
        from where the relay brings it again.
        """

    async def run(self) -> None:
        """The sink's own loop, for as long as the process serves."""


class Delivery:
    """Hands committed events to the sinks of this process.

    Numbered events go at once. Of ephemeral ones with a topic, the last of each goes every 100 ms:
    a typist who starts and stops within that time has only stopped.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, sinks: Sequence[Sink] = ()) -> None:
        self.loop = loop
        self.sinks = tuple(sinks)
        self._fleeting: dict[str, Outgoing] = {}

    def hand_over(self, events: Sequence[Outgoing]) -> None:
        """Callable from every thread."""
        self.loop.call_soon_threadsafe(self.deliver, events)

    def deliver(self, events: Sequence[Outgoing]) -> None:
        """Runs on the event loop."""
        for event in events:
            if not event.topic:
                self._give(event)
            else:
                if not self._fleeting:
                    self.loop.call_later(COALESCE_S, self._flush)
                self._fleeting[event.topic] = event

    def _flush(self) -> None:
        fleeting, self._fleeting = self._fleeting, {}
        for event in fleeting.values():
            self._give(event)

    def _give(self, event: Outgoing) -> None:
        for sink in self.sinks:
            try:
                sink.deliver(event)
            except Exception:  # one sink's defect must not silence the others
                log.exception("sink_failed", sink=type(sink).__name__, type=event.type)


_current: Delivery | None = None


def install(delivery: Delivery | None) -> None:
    """Make it the one that `hand_over` uses; None when the process stops serving."""
    global _current  # noqa: PLW0603 one per process, set where the server starts and stops
    _current = delivery


def hand_over(events: Sequence[Outgoing]) -> None:
    """Deliver what has been committed.

    A process that serves nobody (a management command, a worker) has no delivery: durable events
    wait in the log, and a server's relay finds them within two seconds. So they do where the
    server's loop has just ended: the commit stands, and its caller hears of no failure.
    """
    serving = _current
    if serving is not None:
        with suppress(RuntimeError):
            serving.hand_over(events)
