"""What one server process runs beside requests: hub, gateway, sinks, relay, presence."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from realtime import delivery
from realtime.bridge.gateway import GatewayBridge
from realtime.bridge.streams import LoggedStreams
from realtime.delivery import Delivery, Sink
from realtime.feed import Feed
from realtime.gateway.options import GatewayOptions
from realtime.gateway.registry import Registry
from realtime.gateway.session import Gateway
from realtime.hub.hub import Hub
from realtime.marks import Marks
from realtime.presence import Presence
from realtime.relay import Relay
from realtime.sinks.parts import Parts
from realtime.sinks.visitors import VisitorSink
from realtime.tokens import SignedTokens

log = structlog.stdlib.get_logger(__name__)

DRAIN_S = 2


class Runtime:
    """Made and used on the event loop; `run_soon` is for everybody else."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        options = GatewayOptions()
        self.feed = Feed()
        self.marks = Marks()
        self.presence = Presence()
        streams = LoggedStreams(self.presence, options)
        self.registry = Registry(streams)
        self.gateway = Gateway(
            options=options, registry=self.registry, streams=streams, verifier=SignedTokens()
        )
        self.bridge = GatewayBridge(self.feed, self.registry, streams)
        self.hub = Hub(self.feed)
        self.delivery = Delivery(self._loop)
        parts = Parts(self.feed, self.marks, self.bridge, self.delivery.deliver)
        self.sinks: list[Sink] = [import_string(path)(parts) for path in settings.REALTIME_SINKS]
        self.delivery.sinks = tuple(self.sinks)
        self.visitors = next(sink for sink in self.sinks if isinstance(sink, VisitorSink))
        self.relay = Relay(self.delivery, self.marks)

    async def start(self) -> None:
        await self.feed.open()
        await self.bridge.open()
        delivery.install(self.delivery)
        for run in (
            self.feed.run,
            self.marks.run,
            self.presence.run,
            self.bridge.run,
            self.hub.run,
            self.relay.run,
            *(sink.run for sink in self.sinks),
        ):
            self._spawn(run())

    def run_soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a coroutine on the event loop, from whatever thread."""
        self._loop.call_soon_threadsafe(self._spawn, work)

    async def drain(self) -> None:
        """Send every socket away, spread over seconds, before the server stops."""
        await asyncio.gather(self.hub.drain(DRAIN_S), self.registry.drain(DRAIN_S))

    async def stop(self) -> None:
        """What is still undelivered waits in the log for the next process."""
        delivery.install(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(Exception):  # marks and presence heal by themselves
            await self.marks.flush()
            await self.presence.flush()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("runtime_part_failed", exc_info=task.exception())


_current: Runtime | None = None


async def start() -> Runtime:
    """Begin serving in this process; a second call returns the same."""
    global _current  # noqa: PLW0603 one per process
    if _current is None:
        _current = Runtime()
        await _current.start()
    return _current


async def stop() -> None:
    global _current
    if _current is not None:
        ending, _current = _current, None
        await ending.stop()


def find() -> Runtime | None:
    """None in a process that serves nobody."""
    return _current


def current() -> Runtime:
    if _current is None:
        raise RuntimeError("The realtime runtime has not been started.")
    return _current
