"""The process's one place on the channel layer.

Not a group member per socket: the process joins a group once, and spreads what it hears to its own
sockets by itself (docs/decisions/0004). A layer delivers at most once, so nothing relies on it:
agents' frames carry numbers and visitors' publications carry offsets.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog
from channels.layers import get_channel_layer

log = structlog.stdlib.get_logger(__name__)

Handler = Callable[[dict[str, Any]], None]
SEND_TIMEOUT_S = 3
RETRY_S = 1


class Feed:
    """Joins groups, sends to them, and passes each message to the handler of its `type`."""

    def __init__(self) -> None:
        self._layer: Any = get_channel_layer()
        self._channel = ""
        self._handlers: dict[str, Handler] = {}
        self._members: Counter[str] = Counter()

    def on(self, kind: str, handler: Handler) -> None:
        """Handlers run on the event loop, one message at a time, and must not block."""
        self._handlers[kind] = handler

    async def open(self) -> None:
        self._channel = await self._layer.new_channel("process")

    async def join(self, group: str) -> None:
        """Counted: a group is left when everyone who joined it has left."""
        if self._members[group] == 0:
            await self._layer.group_add(group, self._channel)
        self._members[group] += 1

    async def leave(self, group: str) -> None:
        self._members[group] -= 1
        if self._members[group] == 0:
            await self._layer.group_discard(group, self._channel)

    async def send(self, group: str, message: dict[str, Any]) -> None:
        """Raises TimeoutError, or whatever the layer raises, when it is down."""
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await self._layer.group_send(group, message)

    async def run(self) -> None:
        while True:
            try:
                message = await self._layer.receive(self._channel)
            except Exception:  # the layer is down; heads and offsets show what was missed
                log.warning("layer_down", exc_info=True)
                await asyncio.sleep(RETRY_S)
                continue
            try:
                self._handlers[message["type"]](message)
            except Exception:  # one bad message must not deafen the process
                log.exception("feed_handler_failed", type=message.get("type"))
