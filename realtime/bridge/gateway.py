"""The bridge's built-in backend: the gateway's registries of all processes, over the layer."""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog

from project import database
from realtime.bridge.interface import BridgeError, Position
from realtime.bridge.streams import LoggedStreams
from realtime.feed import Feed
from realtime.gateway.ports import Publication, StreamPosition
from realtime.gateway.registry import Registry
from realtime.log import channels

log = structlog.stdlib.get_logger(__name__)

GROUP = "visitors"
VERIFY_S = 40
PAGE = 500


class GatewayBridge:
    """Publishes to every process's connections. Streams, and so recovery, are the event log."""

    def __init__(self, feed: Feed, registry: Registry, streams: LoggedStreams) -> None:
        self._feed = feed
        self._registry = registry
        self._streams = streams
        feed.on("visitors.publication", self._publish)
        feed.on("visitors.disconnect", self._disconnect)

    async def open(self) -> None:
        await self._feed.join(GROUP)

    async def broadcast(
        self,
        channels: Sequence[str],
        data: str,
        *,
        offset: int | None,
        event_id: str,
    ) -> None:
        await self._send(
            {
                "type": "visitors.publication",
                "channels": list(channels),
                "offset": offset or 0,
                "data": data.encode(),
            }
        )

    async def position(self, channel: str) -> Position:
        top = await database.read(channels.find, channel)
        if top is None:
            raise BridgeError(f"There is no channel {channel[:8]}...", permanent=True)
        return Position(top.offset, top.epoch)

    async def presence(self, channels: Sequence[str]) -> dict[str, int]:
        stats = self._registry.presence_stats(channels)
        return {channel: one.num_clients for channel, one in stats.items()}

    async def disconnect(self, visitor_id: str, code: int, reason: str) -> None:
        await self._send(
            {
                "type": "visitors.disconnect",
                "visitor_id": visitor_id,
                "code": code,
                "reason": reason,
            }
        )

    async def run(self) -> None:
        """Compare positions now and then: a lost last publication shows by nothing else."""
        while True:
            await asyncio.sleep(VERIFY_S)
            try:
                await self._verify()
            except Exception:  # the database is away: the next round compares
                log.warning("positions_not_compared", exc_info=True)

    async def _verify(self) -> None:
        listened = self._registry.channels
        self._streams.forget_all_but(frozenset(listened))
        for start in range(0, len(listened), PAGE):
            page = listened[start : start + PAGE]
            tops = await database.read(channels.list_tops, page)
            for channel, top in tops.items():
                self._registry.verify(channel, StreamPosition(top.offset, top.epoch))

    async def _send(self, message: dict[str, Any]) -> None:
        try:
            await self._feed.send(GROUP, message)
        except Exception as error:  # whatever the layer raises when it is down
            raise BridgeError("The channel layer is out of reach.") from error

    def _publish(self, message: dict[str, Any]) -> None:
        publication = Publication(message["offset"], message["data"])
        for channel in message["channels"]:
            self._registry.publish(channel, publication)

    def _disconnect(self, message: dict[str, Any]) -> None:
        self._registry.disconnect(message["visitor_id"], message["code"], message["reason"])
