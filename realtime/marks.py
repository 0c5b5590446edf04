"""Marking events as delivered, in batches."""

import asyncio

import structlog
from django.db import transaction

from project import database
from realtime.models import StoredEvent
from realtime.outgoing import Outgoing

log = structlog.stdlib.get_logger(__name__)

INTERVAL_S = 0.5


class Marks:
    """Row ids that were delivered and not yet marked so.

    A lost mark costs one more delivery, which every reader recognises by its number.
    """

    def __init__(self) -> None:
        self._agents: set[int] = set()
        self._visitor: set[int] = set()

    def agents_have(self, row_id: int) -> None:
        self._agents.add(row_id)

    def visitor_has(self, row_id: int) -> None:
        self._visitor.add(row_id)

    def covers(self, event: Outgoing) -> bool:
        """Whether the marks of all readers whom this copy of an event is for are on their way."""
        agents_have = event.agent_payload is None or event.row_id in self._agents
        visitor_has = event.visitor_payload is None or event.row_id in self._visitor
        return agents_have and visitor_has

    async def run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_S)
            try:
                await self.flush()
            except Exception:  # noqa: BLE001 the database is away: the marks stay for the next round
                log.warning("marks_delayed", waiting=len(self._agents | self._visitor))

    async def flush(self) -> None:
        """Write what has gathered; it stays gathered where writing fails."""
        agents, visitor = set(self._agents), set(self._visitor)
        if agents or visitor:
            await database.write(_mark, agents, visitor)
            self._agents -= agents
            self._visitor -= visitor


def _mark(agents: set[int], visitor: set[int]) -> None:
    both = agents & visitor
    with transaction.atomic():
        _update(both, agents_pending=False, visitor_pending=False)
        _update(agents - both, agents_pending=False)
        _update(visitor - both, visitor_pending=False)


def _update(row_ids: set[int], **marks: bool) -> None:
    if row_ids:
        StoredEvent.objects.filter(pk__in=sorted(row_ids)).update(**marks)
