"""The safety net: what was committed and not delivered is delivered again."""

import asyncio
from datetime import timedelta

import structlog
from django.utils import timezone
from prometheus_client import Gauge

from project import database
from realtime.delivery import Delivery
from realtime.log import read
from realtime.marks import Marks

log = structlog.stdlib.get_logger(__name__)

INTERVAL_S = 1
STALE_S = 2
PAGE = 500

BACKLOG = Gauge("karibu_backlog_events", "Deliveries that the relay had to repeat, at most 1,000")
BACKLOG_AGE = Gauge("karibu_backlog_age_seconds", "Age of the oldest of them")


class Relay:
    """Finds events that were not marked within two seconds, and hands them to the sinks again.

    A crash between commit and delivery, a transport that was down, an event born in a process
    without sinks: all look the same from here.
    """

    def __init__(self, delivery: Delivery, marks: Marks) -> None:
        self._delivery = delivery
        self._marks = marks

    async def run(self) -> None:
        while True:
            try:
                await self.bring()
            except Exception:  # the database is away: the log waits as long as it does
                log.warning("relay_failed", exc_info=True)
            await asyncio.sleep(INTERVAL_S)

    async def bring(self) -> int:
        """One round; returns how many events it handed over."""
        now = timezone.now()
        before = now - timedelta(seconds=STALE_S)
        stale = await database.read(read.list_agents_pending, before=before, limit=PAGE)
        stale += await database.read(read.list_visitors_pending, before=before, limit=PAGE)
        missing = [event for event in stale if not self._marks.covers(event)]
        self._delivery.deliver(missing)
        oldest = await database.read(read.get_oldest_pending, before=before) if missing else None
        BACKLOG.set(len(missing))
        BACKLOG_AGE.set((now - oldest).total_seconds() if oldest else 0)
        return len(missing)
