import asyncio
from unittest.mock import patch

import pytest
from channels.exceptions import ChannelFull

from realtime.memory_layer import MemoryLayer


async def test_a_group_gets_each_message_once_in_order() -> None:
    layer = MemoryLayer()
    for channel in ("one", "two"):
        await layer.group_add("both", channel)
    await layer.group_send("both", {"type": "a"})
    await layer.group_send("both", {"type": "b"})
    for channel in ("one", "two"):
        assert await layer.receive(channel) == {"type": "a"}
        assert await layer.receive(channel) == {"type": "b"}


async def test_who_has_left_a_group_gets_nothing() -> None:
    layer = MemoryLayer()
    await layer.group_add("group", "here")
    await layer.group_add("group", "gone")
    await layer.group_discard("group", "gone")
    await layer.group_send("group", {"type": "a"})
    assert list(layer.channels) == ["here"]


async def test_a_group_of_nobody_takes_messages() -> None:
    await MemoryLayer().group_send("nobody", {"type": "a"})


async def test_a_reader_waits_for_what_is_sent_later() -> None:
    layer = MemoryLayer()
    reading = asyncio.create_task(layer.receive("channel"))
    await asyncio.sleep(0)
    await layer.send("channel", {"type": "a"})
    assert await reading == {"type": "a"}


async def test_a_full_channel_refuses_the_sender_and_not_the_group() -> None:
    layer = MemoryLayer(capacity=1)
    await layer.group_add("group", "full")
    await layer.group_add("group", "free")
    await layer.send("full", {"type": "a"})
    with pytest.raises(ChannelFull):
        await layer.send("full", {"type": "b"})
    await layer.group_send("group", {"type": "b"})
    assert await layer.receive("full") == {"type": "a"}
    assert await layer.receive("free") == {"type": "b"}


async def test_neither_messages_nor_memberships_expire() -> None:
    layer = MemoryLayer()
    with patch("time.time", return_value=0.0):
        await layer.group_add("group", "channel")
        await layer.group_send("group", {"type": "a"})
    assert await layer.receive("channel") == {"type": "a"}
    await layer.group_send("group", {"type": "b"})
    assert await layer.receive("channel") == {"type": "b"}


async def test_a_channel_that_was_read_is_forgotten() -> None:
    layer = MemoryLayer()
    await layer.send("channel", {"type": "a"})
    await layer.receive("channel")
    assert layer.channels == {}
