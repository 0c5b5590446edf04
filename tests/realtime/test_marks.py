import asyncio
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from project import database
from realtime import marks as module
from realtime.marks import Marks
from realtime.models import StoredEvent
from realtime.publish import publish
from tests.conftest import Published
from tests.realtime.bridges import until
from tests.realtime.samples import numbered, open_streams, seen_event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row_ids(published: Published) -> list[int]:
    """Rows of six pending events."""
    open_streams()
    with transaction.atomic():
        publish(*(seen_event() for _ in range(6)))
    return [event.row_id for event in published.take() if event.row_id is not None]


def pending() -> list[tuple[bool, bool]]:
    rows = StoredEvent.objects.order_by("pk")
    return list(rows.values_list("agents_pending", "visitor_pending"))


async def test_flush_writes_both_marks(row_ids: list[int]) -> None:
    marks = Marks()
    for row_id in row_ids[:4]:
        marks.agents_have(row_id)
    for row_id in row_ids[2:5]:
        marks.visitor_has(row_id)
    await marks.flush()
    assert await database.read(pending) == [
        (False, True),
        (False, True),
        (False, False),
        (False, False),
        (True, False),
        (True, True),
    ]


async def test_flush_again_changes_nothing(row_ids: list[int]) -> None:
    marks = Marks()
    for _ in range(2):
        marks.agents_have(row_ids[0])
        marks.agents_have(row_ids[0])
        await marks.flush()
    assert await database.read(pending) == [(False, True)] + [(True, True)] * 5


def test_a_batch_costs_a_statement_for_each_kind(row_ids: list[int]) -> None:
    with CaptureQueriesContext(connection) as captured:
        module._mark(set(row_ids[:4]), set(row_ids[2:]))
    updates = [query for query in captured if query["sql"].startswith("UPDATE")]
    assert len(updates) == 3


async def test_nothing_gathered_asks_nothing_of_the_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_mark", None)
    await Marks().flush()


async def test_marks_stay_gathered_while_the_database_is_away(
    row_ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(module, "INTERVAL_S", 0.01)
    marks = Marks()
    marks.agents_have(row_ids[0])
    with monkeypatch.context() as patch:
        patch.setattr(module, "_mark", fail)
        running = asyncio.create_task(marks.run())
        await asyncio.sleep(0.05)
        assert not running.done()
    marks.visitor_has(row_ids[1])
    await until(lambda: not marks._agents and not marks._visitor)
    running.cancel()
    assert await database.read(pending) == [(False, True), (True, False)] + [(True, True)] * 4


async def test_a_mark_that_comes_during_a_flush_is_kept(row_ids: list[int]) -> None:
    marks = Marks()
    marks.agents_have(row_ids[0])
    flushing = asyncio.create_task(marks.flush())
    await asyncio.sleep(0)
    marks.agents_have(row_ids[1])
    await flushing
    assert await database.read(pending) == [(False, True)] + [(True, True)] * 5
    await marks.flush()
    assert await database.read(pending) == [(False, True)] * 2 + [(True, True)] * 4


@pytest.mark.parametrize(
    ("agents", "visitor", "covered"),
    [(False, False, False), (True, False, False), (False, True, False), (True, True, True)],
)
def test_covers_asks_for_every_reader_of_the_copy(
    agents: bool, visitor: bool, covered: bool
) -> None:
    marks = Marks()
    event = numbered(1)
    if agents:
        marks.agents_have(1)
    if visitor:
        marks.visitor_has(1)
    assert marks.covers(event) == covered
    assert marks.covers(replace(event, visitor_payload=None)) == agents
    assert marks.covers(replace(event, agent_payload=None)) == visitor
