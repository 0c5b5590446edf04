import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from channels.layers import get_channel_layer

from realtime import feed as module
from realtime.feed import Feed
from tests.realtime.bridges import until

GROUP = "agents.1"


class Ear:
    def __init__(self) -> None:
        self.heard: list[int] = []

    def listen(self, message: dict[str, Any]) -> None:
        if message["number"] < 0:
            raise ZeroDivisionError
        self.heard.append(message["number"])


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def feed(ear: Ear) -> AsyncIterator[Feed]:
    feed = Feed()
    feed.on("test.number", ear.listen)
    await feed.open()
    running = asyncio.create_task(feed.run())
    yield feed
    running.cancel()


def number(value: int) -> dict[str, Any]:
    return {"type": "test.number", "number": value}


async def test_members_hear_what_is_sent_to_their_group(feed: Feed, ear: Ear) -> None:
    await feed.join(GROUP)
    for value in (1, 2, 3):
        await feed.send(GROUP, number(value))
    await feed.send("agents.2", number(4))
    await until(lambda: len(ear.heard) == 3)
    assert ear.heard == [1, 2, 3]


async def test_a_failing_handler_does_not_deafen_the_process(feed: Feed, ear: Ear) -> None:
    await feed.join(GROUP)
    await feed.send(GROUP, number(-1))
    await feed.send(GROUP, {"type": "test.unknown"})
    await feed.send(GROUP, {"number": 5})
    await feed.send(GROUP, number(1))
    await until(lambda: ear.heard == [1])


async def test_a_group_is_left_when_the_last_member_leaves(feed: Feed, ear: Ear) -> None:
    await feed.join(GROUP)
    await feed.join(GROUP)
    await feed.leave(GROUP)
    await feed.send(GROUP, number(1))
    await until(lambda: ear.heard == [1])
    await feed.leave(GROUP)
    await feed.send(GROUP, number(2))
    await asyncio.sleep(0.02)
    assert ear.heard == [1]
    await feed.join(GROUP)
    await feed.send(GROUP, number(3))
    await until(lambda: ear.heard == [1, 3])


async def test_a_join_that_failed_may_be_tried_again(
    feed: Feed, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(get_channel_layer(), "group_add", fail)
        with pytest.raises(ConnectionError):
            await feed.join(GROUP)
    await feed.join(GROUP)
    await feed.send(GROUP, number(1))
    await until(lambda: ear.heard == [1])


async def test_a_layer_that_is_down_is_listened_to_again(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(module, "RETRY_S", 0.01)
    feed = Feed()
    feed.on("test.number", ear.listen)
    await feed.open()
    await feed.join(GROUP)
    with monkeypatch.context() as patch:
        patch.setattr(get_channel_layer(), "receive", fail)
        running = asyncio.create_task(feed.run())
        await asyncio.sleep(0.03)
    await feed.send(GROUP, number(1))
    await until(lambda: ear.heard == [1])
    running.cancel()


async def test_sending_to_a_silent_layer_ends(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(module, "SEND_TIMEOUT_S", 0.01)
    monkeypatch.setattr(get_channel_layer(), "group_send", hang)
    with pytest.raises(TimeoutError):
        await feed.send(GROUP, number(1))


@pytest.mark.parametrize("pause", [timedelta(minutes=2), timedelta(days=3)])
async def test_a_process_that_slept_still_hears(
    ear: Ear, pause: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The in-memory layer drops members by age, and those whose queue holds an old message."""
    feed = Feed()
    feed.on("test.number", ear.listen)
    await feed.open()
    await feed.join(GROUP)
    await feed.send(GROUP, number(1))
    later = time.time() + pause.total_seconds()
    monkeypatch.setattr(time, "time", lambda: later)
    running = asyncio.create_task(feed.run())
    await asyncio.sleep(0.01)
    await feed.send(GROUP, number(2))
    await until(lambda: 2 in ear.heard)
    running.cancel()
