"""The visitors' sink and the relay behind it, over a transport that can be down."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from project import database
from realtime import streams
from realtime.delivery import Delivery
from realtime.feed import Feed
from realtime.marks import Marks
from realtime.models import StoredEvent
from realtime.outgoing import Outgoing, ephemeral
from realtime.relay import Relay
from realtime.sinks.parts import Parts
from realtime.sinks.visitors import VisitorSink
from tests.clock import virtual_time
from tests.conftest import Published
from tests.factories import answer, open_visitor, say
from tests.realtime.bridges import RecordingBridge, until
from tests.realtime.samples import CONTACT, fleeting_event, hidden_event, numbered
from webchat.models import Site
from webchat.principal import Agent, VisitorAccess

CHANNEL = f"visitor:{CONTACT}"


@pytest.fixture
def sink(parts: Parts) -> VisitorSink:
    return VisitorSink(parts)


async def offsets(bridge: RecordingBridge, count: int) -> dict[str, list[int | None]]:
    await until(lambda: len(bridge.publications) >= count)
    return bridge.offsets()


class TestSink:
    @virtual_time
    async def test_lane_begins_with_the_event_where_nothing_is_pending(
        self, sink: VisitorSink, bridge: RecordingBridge
    ) -> None:
        sink.deliver(numbered(7))
        assert await offsets(bridge, 1) == {CHANNEL: [7]}

    @virtual_time
    async def test_lane_begins_with_what_was_pending(
        self, sink: VisitorSink, bridge: RecordingBridge
    ) -> None:
        sink.deliver(numbered(7, pending_from=5))
        sink.deliver(numbered(5))
        sink.deliver(numbered(6, pending_from=5))
        assert await offsets(bridge, 3) == {CHANNEL: [5, 6, 7]}

    @virtual_time
    async def test_what_visitors_do_not_see_is_not_theirs(
        self, sink: VisitorSink, bridge: RecordingBridge
    ) -> None:
        sink.deliver(ephemeral(hidden_event(), ()))
        sink.deliver(replace(numbered(1), visitor_payload=None))
        await asyncio.sleep(0.01)
        assert bridge.attempts == 0

    @virtual_time
    async def test_ephemeral_events_go_at_once_and_once(
        self, sink: VisitorSink, bridge: RecordingBridge
    ) -> None:
        sink.deliver(numbered(1, waits_for_sender=True))
        sink.deliver(ephemeral(fleeting_event(), (CHANNEL,)))
        await offsets(bridge, 1)
        [publication] = bridge.publications
        assert (publication.type, publication.offset) == ("typing.started", None)
        assert publication.channels == (CHANNEL,)

    @virtual_time
    async def test_an_ephemeral_event_is_lost_where_the_transport_is_down(
        self, sink: VisitorSink, bridge: RecordingBridge
    ) -> None:
        bridge.fail()
        sink.deliver(ephemeral(fleeting_event(), (CHANNEL,)))
        await until(lambda: bridge.attempts == 1 and not sink._fleeting)
        bridge.recover()
        sink.deliver(numbered(1))
        assert await offsets(bridge, 1) == {CHANNEL: [1]}

    @virtual_time
    async def test_release_reaches_the_contacts_lane(
        self, sink: VisitorSink, bridge: RecordingBridge
    ) -> None:
        event = numbered(1, waits_for_sender=True)
        delivered_at = asyncio.get_running_loop().time()
        sink.release(CONTACT, event.event_id)
        sink.deliver(event)
        sink.release(CONTACT, event.event_id)
        await offsets(bridge, 1)
        assert bridge.publications[0].at - delivered_at == pytest.approx(0.1, abs=1e-3)

    @virtual_time
    async def test_lanes_that_rest_are_forgotten(
        self, sink: VisitorSink, bridge: RecordingBridge
    ) -> None:
        running = asyncio.create_task(sink.run())
        sink.deliver(numbered(1))
        await asyncio.sleep(9)
        sink.deliver(numbered(1, contact_id=6))
        assert set(sink._lanes) == {CONTACT, 6}
        await asyncio.sleep(7)
        assert set(sink._lanes) == {6}
        await asyncio.sleep(10)
        assert not sink._lanes
        assert await offsets(bridge, 2) == {CHANNEL: [1], "visitor:6": [1]}
        running.cancel()

    @virtual_time
    async def test_a_slow_transport_for_one_contact_delays_no_other(
        self, sink: VisitorSink, bridge: RecordingBridge
    ) -> None:
        bridge.latency_s = 0.05
        for contact_id in range(1, 21):
            sink.deliver(numbered(1, contact_id=contact_id))
        started_at = asyncio.get_running_loop().time()
        await offsets(bridge, 20)
        assert asyncio.get_running_loop().time() - started_at < 0.06


class Process:
    """The visitors' half of a server process."""

    def __init__(self, bridge: RecordingBridge) -> None:
        self.marks = Marks()
        self.delivery = Delivery(asyncio.get_running_loop())
        parts = Parts(Feed(), self.marks, bridge, self.delivery.deliver)
        self.sink = VisitorSink(parts)
        self.delivery.sinks = (self.sink,)
        self.relay = Relay(self.delivery, self.marks)

    async def bring_until(self, count: int) -> None:
        """The relay's rounds until nothing of `count` pending events is left."""
        for _ in range(count + 1):
            await self.relay.bring()
            await until(lambda: all(lane.idle for lane in self.sink._lanes.values()))
            await self.marks.flush()
        await until(lambda: not self.marks._visitor)


def pending() -> int:
    return StoredEvent.objects.filter(visitor_pending=True).count()


@pytest.mark.django_db(transaction=True)
class TestRelay:
    @pytest.fixture(autouse=True)
    def rows(self, agent: Agent, visitor: VisitorAccess, site: Site, published: Published) -> None:
        """A conversation of three minutes ago, the visitor's events 1 to 4."""
        self.agent = agent
        self.visitor = visitor
        self.site = site
        self.published = published
        self.talk(3)
        self.channel = f"visitor:{visitor.visitor_id}"

    def talk(self, answers: int, visitor: VisitorAccess | None = None) -> list[Outgoing]:
        """A visible event for the first word, and one for each answer."""
        then = timezone.now() - timedelta(minutes=3)
        conversation_id = say(visitor or self.visitor, now=then).conversation_id
        for _ in range(answers):
            answer(self.agent, conversation_id, now=then)
        return [event for event in self.published.take() if event.visitor_payload]

    async def test_what_a_crash_left_is_brought_in_order(self, bridge: RecordingBridge) -> None:
        process = Process(bridge)
        await process.bring_until(1)
        assert bridge.offsets() == {self.channel: [1, 2, 3, 4]}
        assert await database.read(pending) == 0

    async def test_what_was_delivered_is_left_alone(self, bridge: RecordingBridge) -> None:
        process = Process(bridge)
        await process.bring_until(1)
        await process.bring_until(1)
        assert len(bridge.publications) == 4

    async def test_what_is_young_is_left_to_the_fast_path(self, bridge: RecordingBridge) -> None:
        await database.write(
            StoredEvent.objects.all().update, created_at=timezone.now() - timedelta(seconds=1)
        )
        assert await Process(bridge).relay.bring() == 0

    async def test_an_outage_loses_nothing(self, bridge: RecordingBridge) -> None:
        bridge.fail()
        process = Process(bridge)
        await process.bring_until(2)
        assert bridge.publications == []
        for event in await database.write(self.talk, 2):
            process.sink.deliver(event)
        bridge.recover()
        await process.bring_until(2)
        assert bridge.offsets() == {self.channel: [*range(1, 8)]}
        assert await database.read(pending) == 0

    async def test_a_younger_event_goes_first_where_its_number_does(
        self, bridge: RecordingBridge
    ) -> None:
        """`now` is taken before the lock, so that times do not rise with the numbers."""
        rows = StoredEvent.objects.filter(stream_seq=1)
        await database.write(rows.update, created_at=timezone.now() - timedelta(seconds=1))
        process = Process(bridge)
        await process.bring_until(1)
        assert bridge.offsets() == {self.channel: [1, 2, 3, 4]}

    async def test_a_mark_for_agents_does_not_cover_the_visitor(
        self, bridge: RecordingBridge
    ) -> None:
        process = Process(bridge)
        first = await database.read(StoredEvent.objects.filter(stream_seq=1).get)
        process.marks.agents_have(first.pk)
        await process.bring_until(1)
        assert bridge.offsets() == {self.channel: [1, 2, 3, 4]}

    async def test_each_contact_has_an_order_of_its_own(self, bridge: RecordingBridge) -> None:
        other = await database.write(open_visitor, self.site)
        await database.write(self.talk, 1, other)
        await Process(bridge).bring_until(1)
        assert bridge.offsets() == {
            self.channel: [1, 2, 3, 4],
            f"visitor:{other.visitor_id}": [1, 2],
        }

    async def test_all_browsers_of_a_contact_get_the_same(self, bridge: RecordingBridge) -> None:
        await database.write(add_browser, self.visitor)
        await Process(bridge).bring_until(1)
        assert bridge.offsets() == {self.channel: [1, 2, 3, 4], "visitor:second": [1, 2, 3, 4]}

    @pytest.mark.parametrize("seed", range(4))
    async def test_outages_and_crashes_at_random_lose_nothing(
        self, bridge: RecordingBridge, seed: int
    ) -> None:
        random = Random(seed)
        process = Process(bridge)
        expected = 4
        for _ in range(12):
            if random.random() < 0.5:
                bridge.fail()
            events = await database.write(self.talk, random.randrange(3))
            expected += len(events)
            random.shuffle(events)
            for event in events:
                if random.random() < 0.8:  # else: died between the commit and the delivery
                    process.sink.deliver(event)
            if random.random() < 0.3:
                await process.relay.bring()
            bridge.recover()
            if random.random() < 0.3:
                await asyncio.sleep(0)
                process = Process(bridge)
        process = Process(bridge)
        await process.bring_until(2)
        assert await database.read(pending) == 0
        assert_in_order(bridge.offsets()[self.channel], expected)


def assert_in_order(offsets: Sequence[int | None], last: int) -> None:
    """Each number's first arrival is in order: a reader that skips what it has, misses nothing."""
    seen = 0
    for offset in offsets:
        assert offset is not None
        assert offset <= seen + 1, offsets
        seen = max(seen, offset)
    assert seen == last


def add_browser(visitor: VisitorAccess) -> None:
    streams.open_channel("second", visitor.contact_id, visitor.organization_id)
