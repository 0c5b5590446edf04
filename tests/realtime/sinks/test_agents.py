"""Agents' events on their way to the channel layer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from realtime.outgoing import ephemeral
from realtime.sinks import agents as module
from realtime.sinks.agents import AgentSink, group_of
from realtime.sinks.parts import Parts
from tests.realtime.bridges import until
from tests.realtime.samples import CONVERSATION, ORGANIZATION, fleeting_event, numbered


class Ear:
    """What arrives at the organization's group."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def seqs(self) -> list[int | None]:
        return [message["seq"] for message in self.messages]


@pytest.fixture
async def ear(parts: Parts) -> AsyncIterator[Ear]:
    ear = Ear()
    parts.feed.on("agents.event", ear.messages.append)
    await parts.feed.open()
    await parts.feed.join(group_of(ORGANIZATION))
    running = asyncio.create_task(parts.feed.run())
    yield ear
    running.cancel()


@pytest.fixture
async def sink(parts: Parts) -> AsyncIterator[AgentSink]:
    sink = AgentSink(parts)
    running = asyncio.create_task(sink.run())
    yield sink
    running.cancel()


async def test_events_arrive_in_order_with_what_the_hub_needs(
    sink: AgentSink, ear: Ear, parts: Parts
) -> None:
    for number in (1, 2, 3):
        sink.deliver(numbered(number))
    await until(lambda: len(ear.messages) == 3)
    assert ear.messages[0] == {
        "type": "agents.event",
        "organization_id": ORGANIZATION,
        "site_id": 3,
        "conversation_id": CONVERSATION,
        "audience": "site",
        "seq": 1,
        "frame": numbered(1).agent_frame(),
    }
    assert ear.seqs() == [1, 2, 3]
    await until(lambda: parts.marks._agents == {1, 2, 3})


async def test_ephemeral_events_arrive_and_need_no_mark(
    sink: AgentSink, ear: Ear, parts: Parts
) -> None:
    sink.deliver(ephemeral(fleeting_event(), ()))
    await until(lambda: ear.messages)
    assert ear.seqs() == [None]
    assert ear.messages[0]["audience"] == "conversation"
    assert parts.marks._agents == set()


async def test_what_agents_do_not_see_is_not_theirs(sink: AgentSink, ear: Ear) -> None:
    sink.deliver(replace(numbered(1), agent_payload=None))
    sink.deliver(numbered(2))
    await until(lambda: ear.messages)
    assert ear.seqs() == [2]


async def test_a_layer_that_is_down_loses_no_mark_and_stops_nobody(
    sink: AgentSink, ear: Ear, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[object] = []

    async def fail(*arguments: object) -> None:
        failures.append(arguments)
        raise ConnectionError

    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    with monkeypatch.context() as patch:
        patch.setattr(parts.feed, "send", fail)
        sink.deliver(numbered(1))
        sink.deliver(numbered(2))
        await until(lambda: len(failures) == 2)
    assert parts.marks._agents == set()
    for number in (3, 1, 2):  # the last two as the relay brings them
        sink.deliver(numbered(number))
    await until(lambda: len(ear.messages) == 3)
    await until(lambda: parts.marks._agents == {1, 2, 3})


async def test_a_full_queue_leaves_the_rest_to_the_relay(
    parts: Parts, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "QUEUE_LIMIT", 2)
    sink = AgentSink(parts)
    for number in (1, 2, 3):
        sink.deliver(numbered(number))
    running = asyncio.create_task(sink.run())
    await until(lambda: len(ear.messages) == 2)
    assert parts.marks._agents == {1, 2}
    running.cancel()


async def test_organizations_do_not_hear_each_other(sink: AgentSink, ear: Ear) -> None:
    sink.deliver(replace(numbered(1), organization_id=2))
    sink.deliver(numbered(2))
    await until(lambda: ear.messages)
    await asyncio.sleep(0.01)
    assert ear.seqs() == [2]
