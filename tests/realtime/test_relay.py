"""The safety net; what it does to a visitor's order is in sinks/test_visitors.py."""

import asyncio
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from project import database
from realtime import relay as module
from realtime.delivery import Delivery
from realtime.log import read
from realtime.marks import Marks
from realtime.models import StoredEvent
from realtime.outgoing import Outgoing
from realtime.publish import publish
from realtime.relay import BACKLOG, BACKLOG_AGE, Relay
from tests.conftest import Published
from tests.realtime.bridges import until
from tests.realtime.samples import hidden_event, open_streams, seen_event
from tests.realtime.test_delivery import Recorder

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sink() -> Recorder:
    return Recorder()


def relay_to(sink: Recorder, marks: Marks | None = None) -> Relay:
    return Relay(Delivery(asyncio.get_running_loop(), [sink]), marks or Marks())


@pytest.fixture
def store(published: Published) -> None:
    """Two events of a minute ago, the second for agents alone."""
    then = timezone.now() - timedelta(minutes=1)
    open_streams()
    with transaction.atomic():
        publish(seen_event(at=then), hidden_event(at=then))


def readers(events: list[Outgoing]) -> list[tuple[int | None, bool, bool]]:
    return [
        (event.seq, event.agent_payload is not None, event.visitor_payload is not None)
        for event in events
    ]


async def test_each_reader_gets_a_copy(store: None, sink: Recorder) -> None:
    assert await relay_to(sink).bring() == 3
    assert readers(sink.events) == [(1, True, False), (2, True, False), (1, False, True)]


async def test_who_has_it_gets_no_copy(store: None, sink: Recorder) -> None:
    rows = StoredEvent.objects.filter(seq=1)
    await database.write(rows.update, visitor_pending=False)
    await relay_to(sink).bring()
    assert readers(sink.events) == [(1, True, False), (2, True, False)]


async def test_a_mark_on_its_way_counts(store: None, sink: Recorder) -> None:
    marks = Marks()
    first = await database.read(StoredEvent.objects.get, seq=1)
    marks.agents_have(first.pk)
    await relay_to(sink, marks).bring()
    assert readers(sink.events) == [(2, True, False), (1, False, True)]


async def test_young_events_are_left_alone(store: None, sink: Recorder) -> None:
    await database.write(
        StoredEvent.objects.update, created_at=timezone.now() - timedelta(seconds=1.5)
    )
    assert await relay_to(sink).bring() == 0
    await database.write(
        StoredEvent.objects.update, created_at=timezone.now() - timedelta(seconds=2.5)
    )
    assert await relay_to(sink).bring() == 3


async def test_stuck_visitors_do_not_starve_agents(published: Published, sink: Recorder) -> None:
    def fill() -> None:
        then = timezone.now() - timedelta(minutes=1)
        open_streams()
        with transaction.atomic():
            publish(*(seen_event(at=then) for _ in range(600)))
            StoredEvent.objects.update(agents_pending=False)
            publish(hidden_event(at=then))

    await database.write(fill)
    await relay_to(sink).bring()
    assert [event.seq for event in sink.events if event.agent_payload is not None] == [601]
    assert len(sink.events) == 501


async def test_stuck_agents_do_not_starve_visitors(published: Published, sink: Recorder) -> None:
    def fill() -> None:
        then = timezone.now() - timedelta(minutes=1)
        open_streams()
        with transaction.atomic():
            publish(*(hidden_event(at=then) for _ in range(600)), seen_event(at=then))

    await database.write(fill)
    await relay_to(sink).bring()
    assert [event.seq for event in sink.events if event.visitor_payload is not None] == [601]


async def test_the_backlog_is_measured(store: None, sink: Recorder) -> None:
    marks = Marks()
    await relay_to(sink, marks).bring()
    assert BACKLOG._value.get() == 3
    assert 60 <= BACKLOG_AGE._value.get() < 70
    for event in sink.events:
        if event.row_id is not None:
            marks.agents_have(event.row_id)
            marks.visitor_has(event.row_id)
    await marks.flush()
    await relay_to(sink, marks).bring()
    assert (BACKLOG._value.get(), BACKLOG_AGE._value.get()) == (0, 0)


async def test_it_goes_on_when_the_database_was_away(
    store: None, sink: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(module, "INTERVAL_S", 0.01)
    with monkeypatch.context() as patch:
        patch.setattr(read, "list_agents_pending", fail)
        running = asyncio.create_task(relay_to(sink).run())
        await asyncio.sleep(0.05)
        assert sink.events == []
    await until(lambda: sink.events)
    running.cancel()
