import asyncio
from dataclasses import replace

import pytest

from realtime import delivery
from realtime.delivery import Delivery
from realtime.events import VisitorSessionsRevoked
from realtime.events.activity import SessionRevoked
from realtime.outgoing import Outgoing, ephemeral
from tests.clock import virtual_time
from tests.realtime.bridges import until
from tests.realtime.samples import NOW, fleeting_event, numbered


class Recorder:
    def __init__(self) -> None:
        self.events: list[Outgoing] = []

    def deliver(self, event: Outgoing) -> None:
        self.events.append(event)

    async def run(self) -> None:
        pass


class Defective(Recorder):
    def deliver(self, event: Outgoing) -> None:
        raise ZeroDivisionError


def fleeting(sender_id: int = 7) -> Outgoing:
    return ephemeral(fleeting_event(sender_id=sender_id), ())


async def test_numbered_events_go_at_once_to_every_sink() -> None:
    first, second = Recorder(), Recorder()
    Delivery(asyncio.get_running_loop(), [first, second]).deliver([numbered(1), numbered(2)])
    assert first.events == second.events == [numbered(1), numbered(2)]


async def test_a_defective_sink_silences_no_other() -> None:
    sound = Recorder()
    Delivery(asyncio.get_running_loop(), [Defective(), sound]).deliver([numbered(1), numbered(2)])
    assert sound.events == [numbered(1), numbered(2)]


@virtual_time
async def test_of_ephemeral_events_the_last_of_each_topic_goes() -> None:
    sink = Recorder()
    loop = asyncio.get_running_loop()
    handing = Delivery(loop, [sink])
    started_at = loop.time()
    events = [fleeting(1), fleeting(2), fleeting(1), fleeting(1)]
    for event in events:
        handing.deliver([event])
    assert sink.events == []
    await until(lambda: sink.events)
    assert loop.time() - started_at == pytest.approx(0.1, abs=0.003)
    assert sink.events == [events[3], events[1]]
    handing.deliver([events[0]])
    await until(lambda: len(sink.events) == 3)


async def test_an_ephemeral_event_without_a_topic_goes_at_once() -> None:
    """The end of a visitor's sessions, for one, which goes before the socket is closed."""
    sink = Recorder()
    event = ephemeral(
        VisitorSessionsRevoked(at=NOW, organization_id=1, visitor=SessionRevoked()), ()
    )
    Delivery(asyncio.get_running_loop(), [sink]).deliver([event, event])
    assert sink.events == [event, event]


async def test_events_of_threads_reach_the_loop_in_order() -> None:
    sink = Recorder()
    delivery.install(Delivery(asyncio.get_running_loop(), [sink]))
    for number in range(1, 20):
        await asyncio.to_thread(delivery.hand_over, [numbered(number)])
    await until(lambda: len(sink.events) == 19)
    assert [event.seq for event in sink.events] == list(range(1, 20))
    delivery.install(None)


def test_a_process_without_sinks_leaves_it_to_the_log() -> None:
    delivery.install(None)
    delivery.hand_over([numbered(1)])


def test_a_loop_that_has_ended_fails_no_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.new_event_loop()
    delivery.install(Delivery(loop, [Recorder()]))
    loop.close()
    delivery.hand_over([numbered(1)])
    # It may also end between the look and the call.
    monkeypatch.setattr(loop, "is_closed", lambda: False)
    monkeypatch.setattr(loop, "_check_closed", _raise_closed)
    delivery.hand_over([replace(numbered(1), seq=None)])
    delivery.install(None)


def _raise_closed() -> None:
    raise RuntimeError("Event loop is closed")
