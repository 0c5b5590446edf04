"""One contact's events: in order, once, whatever arrives when."""

import asyncio
from random import Random

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from project import database
from realtime import streams
from realtime.bridge.interface import BridgeError
from realtime.feed import Feed
from realtime.log import read
from realtime.marks import Marks
from realtime.models import StoredEvent
from realtime.outgoing import Outgoing, ephemeral
from realtime.publish import publish
from realtime.sinks.lane import Lane
from realtime.sinks.parts import Parts
from tests.clock import VirtualLoop, virtual_time
from tests.conftest import Published
from tests.realtime.bridges import Publication, RecordingBridge, until
from tests.realtime.samples import (
    CONTACT,
    ORGANIZATION,
    fleeting_event,
    numbered,
    open_streams,
    seen_event,
)

CHANNEL = f"visitor:{CONTACT}"


def lane_of(parts: Parts, cursor: int = 0) -> Lane:
    return Lane(CONTACT, cursor, parts)


def marked(parts: Parts) -> set[int]:
    return parts.marks._visitor


async def sent(bridge: RecordingBridge, count: int) -> list[int | None]:
    await until(lambda: len(bridge.publications) >= count)
    await asyncio.sleep(0)
    return [publication.offset for publication in bridge.publications]


@virtual_time
async def test_events_go_in_the_order_of_the_stream(parts: Parts, bridge: RecordingBridge) -> None:
    lane = lane_of(parts)
    for number in (1, 2, 3):
        lane.add(numbered(number))
    assert await sent(bridge, 3) == [1, 2, 3]
    assert marked(parts) == {1, 2, 3}
    assert lane.idle
    assert {publication.channels for publication in bridge.publications} == {(CHANNEL,)}
    assert bridge.publications[0].event_id == str(numbered(1).event_id)


@virtual_time
async def test_a_late_predecessor_is_waited_for_without_a_query(
    parts: Parts, bridge: RecordingBridge
) -> None:
    """No database here: a query would fail the test."""
    lane = lane_of(parts)
    lane.add(numbered(3))
    lane.add(numbered(2))
    await asyncio.sleep(0.019)
    assert bridge.publications == []
    lane.add(numbered(1))
    assert await sent(bridge, 3) == [1, 2, 3]


@virtual_time
async def test_the_same_event_twice_is_sent_once(parts: Parts, bridge: RecordingBridge) -> None:
    lane = lane_of(parts)
    lane.add(numbered(1))
    lane.add(numbered(1))
    lane.add(numbered(2))
    assert await sent(bridge, 2) == [1, 2]
    marked(parts).clear()
    lane.add(numbered(1))
    await asyncio.sleep(1)
    assert len(bridge.publications) == 2
    assert marked(parts) == {1}


@virtual_time
async def test_an_event_without_a_number_has_no_place(parts: Parts) -> None:
    with pytest.raises(ValueError, match="no place"):
        lane_of(parts).add(ephemeral(fleeting_event(), (CHANNEL,)))


@settings(deadline=None)
@given(seed=st.integers(0, 10**9))
def test_any_order_of_arrival_is_put_right(seed: int) -> None:
    random = Random(seed)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        bridge = RecordingBridge()
        lane = lane_of(Parts(Feed(), Marks(), bridge, lambda _: None))
        order = [*range(1, 9), *random.choices(range(1, 9), k=3)]
        random.shuffle(order)
        for number in order:
            event = numbered(number, waits_for_sender=random.random() < 0.3)
            # Within the patience, so that the log has no part in it.
            loop.call_later(random.random() * 0.02, lane.add, event)
            if random.random() < 0.5:
                loop.call_later(random.random() * 0.3, lane.release, event.event_id)
        await asyncio.sleep(8 * 0.25 + 0.1)
        assert bridge.offsets() == {CHANNEL: list(range(1, 9))}
        assert lane.idle

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(scenario())


class TestSender:
    """The sender's own copy gives the HTTP answer a head start (spec: widget contract)."""

    @virtual_time
    async def test_copy_follows_the_release_after_100_ms(
        self, parts: Parts, bridge: RecordingBridge
    ) -> None:
        lane = lane_of(parts)
        event = numbered(1, waits_for_sender=True)
        lane.add(event)
        await asyncio.sleep(0.03)
        released_at = asyncio.get_running_loop().time()
        lane.release(event.event_id)
        await sent(bridge, 1)
        assert bridge.publications[0].at - released_at == pytest.approx(0.1, abs=1e-3)

    @virtual_time
    async def test_copy_goes_after_250_ms_without_a_release(
        self, parts: Parts, bridge: RecordingBridge
    ) -> None:
        added_at = asyncio.get_running_loop().time()
        lane_of(parts).add(numbered(1, waits_for_sender=True))
        await sent(bridge, 1)
        assert bridge.publications[0].at - added_at == pytest.approx(0.25, abs=1e-3)

    @virtual_time
    async def test_late_release_does_not_prolong_the_hold(
        self, parts: Parts, bridge: RecordingBridge
    ) -> None:
        lane = lane_of(parts)
        event = numbered(1, waits_for_sender=True)
        added_at = asyncio.get_running_loop().time()
        lane.add(event)
        await asyncio.sleep(0.2)
        lane.release(event.event_id)
        await sent(bridge, 1)
        assert bridge.publications[0].at - added_at == pytest.approx(0.25, abs=1e-3)

    @virtual_time
    async def test_second_release_does_not_prolong_the_hold(
        self, parts: Parts, bridge: RecordingBridge
    ) -> None:
        lane = lane_of(parts)
        event = numbered(1, waits_for_sender=True)
        lane.add(event)
        released_at = asyncio.get_running_loop().time()
        lane.release(event.event_id)
        await asyncio.sleep(0.08)
        lane.release(event.event_id)
        await sent(bridge, 1)
        assert bridge.publications[0].at - released_at == pytest.approx(0.1, abs=1e-3)

    @virtual_time
    async def test_hold_holds_back_what_follows_and_nothing_else(
        self, parts: Parts, bridge: RecordingBridge
    ) -> None:
        lane, other = lane_of(parts), Lane(6, 0, parts)
        started_at = asyncio.get_running_loop().time()
        lane.add(numbered(1))
        lane.add(numbered(2, waits_for_sender=True))
        lane.add(numbered(3))
        other.add(numbered(1, contact_id=6))
        await until(lambda: len(bridge.publications) == 4)
        at = {(p.channels[0], p.offset): p.at - started_at for p in bridge.publications}
        assert at == pytest.approx(
            {(CHANNEL, 1): 0, ("visitor:6", 1): 0, (CHANNEL, 2): 0.25, (CHANNEL, 3): 0.25},
            abs=1e-3,
        )
        assert bridge.offsets()[CHANNEL] == [1, 2, 3]

    @virtual_time
    async def test_release_of_what_is_not_here_is_nothing(
        self, parts: Parts, bridge: RecordingBridge
    ) -> None:
        lane = lane_of(parts)
        lane.release(numbered(1).event_id)
        lane.add(numbered(1, waits_for_sender=True))
        await asyncio.sleep(0.24)
        assert bridge.publications == []


class TestDown:
    @virtual_time
    async def test_nothing_is_marked_and_all_is_taken_again(
        self, parts: Parts, bridge: RecordingBridge
    ) -> None:
        bridge.fail()
        lane = lane_of(parts)
        for number in (1, 2, 3):
            lane.add(numbered(number))
        await until(lambda: lane.idle)
        assert bridge.attempts == 1
        assert marked(parts) == set()
        bridge.recover()
        for number in (1, 2, 3):
            lane.add(numbered(number))
        assert await sent(bridge, 3) == [1, 2, 3]

    @virtual_time
    async def test_what_the_log_brings_waits_for_no_sender(
        self, parts: Parts, bridge: RecordingBridge
    ) -> None:
        bridge.fail()
        lane = lane_of(parts)
        lane.add(numbered(1, waits_for_sender=True))
        await until(lambda: lane.idle)
        bridge.recover()
        again_at = asyncio.get_running_loop().time()
        lane.add(numbered(1))
        await sent(bridge, 1)
        assert bridge.publications[0].at == pytest.approx(again_at, abs=1e-3)

    @virtual_time
    async def test_a_defect_of_the_transport_is_an_outage_too(
        self, parts: Parts, bridge: RecordingBridge
    ) -> None:
        def break_down(_: Publication) -> None:
            raise ZeroDivisionError

        bridge.refuse = break_down
        lane = lane_of(parts)
        lane.add(numbered(1))
        await until(lambda: lane.idle)
        assert marked(parts) == set()
        bridge.recover()
        lane.add(numbered(1))
        assert await sent(bridge, 1) == [1]

    @virtual_time
    async def test_what_can_never_be_sent_does_not_block_the_rest(
        self, parts: Parts, bridge: RecordingBridge
    ) -> None:
        def refuse_second(publication: Publication) -> None:
            if publication.offset == 2:
                raise BridgeError("Bad request.", permanent=True)

        bridge.refuse = refuse_second
        lane = lane_of(parts)
        for number in (1, 2, 3):
            lane.add(numbered(number))
        assert await sent(bridge, 2) == [1, 3]
        assert bridge.attempts == 3
        assert marked(parts) == {1, 2, 3}


@pytest.mark.django_db(transaction=True)
class TestGap:
    @pytest.fixture
    def stored(self, published: Published) -> list[Outgoing]:
        """Five events in the log."""
        open_streams(ORGANIZATION, CONTACT, str(CONTACT))
        for _ in range(5):
            with transaction.atomic():
                streams.lock_contacts([CONTACT])
                publish(seen_event())
        return published.take()

    async def test_is_filled_from_the_log(
        self, parts: Parts, bridge: RecordingBridge, stored: list[Outgoing]
    ) -> None:
        lane = lane_of(parts)
        lane.add(stored[0])
        lane.add(stored[4])
        assert await sent(bridge, 5) == [1, 2, 3, 4, 5]
        assert bridge.offsets() == {CHANNEL: [1, 2, 3, 4, 5]}
        assert [p.event_id for p in bridge.publications] == [str(e.event_id) for e in stored]
        assert marked(parts) == {event.row_id for event in stored}

    async def test_of_what_others_have_sent_is_jumped(
        self, parts: Parts, bridge: RecordingBridge, stored: list[Outgoing]
    ) -> None:
        await database.write(
            StoredEvent.objects.filter(stream_seq__in=[1, 2, 4]).update, visitor_pending=False
        )
        lane_of(parts).add(stored[4])
        assert await sent(bridge, 2) == [3, 5]

    async def test_is_filled_page_by_page(
        self,
        parts: Parts,
        bridge: RecordingBridge,
        stored: list[Outgoing],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("realtime.sinks.lane.PAGE", 2)
        lane_of(parts).add(stored[4])
        assert await sent(bridge, 5) == [1, 2, 3, 4, 5]

    async def test_is_filled_later_where_the_database_is_away(
        self,
        parts: Parts,
        bridge: RecordingBridge,
        stored: list[Outgoing],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise DatabaseError

        lane = lane_of(parts)
        with monkeypatch.context() as patch:
            patch.setattr(read, "list_visitor_pending", fail)
            lane.add(stored[4])
            await until(lambda: lane.idle)
        assert bridge.publications == []
        for event in stored:  # as the relay brings them
            lane.add(event)
        assert await sent(bridge, 5) == [1, 2, 3, 4, 5]
