"""The channel layer of a server that is alone."""

import asyncio
from contextlib import suppress
from typing import Any

from channels.exceptions import ChannelFull
from channels.layers import InMemoryChannelLayer


class MemoryLayer(InMemoryChannelLayer):
    """Hands each message on as it is, and keeps it and every membership for as long as it takes.

    Channels' own copies a message and starts a task for each receiver, looks for what has expired
    at every call, and takes a channel out of its groups when a message has waited for a minute, as
    one does in a computer that was put to sleep. Readers must not change what they get.
    """

    async def send(self, channel: str, message: Any) -> None:
        """Raises ChannelFull."""
        try:
            self._queue(channel).put_nowait(message)
        except asyncio.QueueFull:
            raise ChannelFull(channel) from None

    async def receive(self, channel: str) -> Any:
        """A channel has one reader."""
        queue = self._queue(channel)
        try:
            return await queue.get()
        finally:
            if queue.empty():
                self.channels.pop(channel, None)

    async def group_send(self, group: str, message: Any) -> None:
        for channel in self.groups.get(group, ()):
            with suppress(ChannelFull):
                await self.send(channel, message)

    def _queue(self, channel: str) -> "asyncio.Queue[Any]":
        queue = self.channels.get(channel)
        if queue is None:
            queue = self.channels[channel] = asyncio.Queue(self.get_capacity(channel))
        return queue
