"""A transport that keeps what it is given, and fails when told to."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from realtime.bridge.interface import BridgeError, Position


@dataclass(frozen=True, slots=True)
class Publication:
    """`at` is the event loop's time; `seq` is what the envelope says."""

    channels: tuple[str, ...]
    offset: int | None
    event_id: str
    at: float
    type: str
    seq: int | None


@dataclass
class RecordingBridge:
    """Implements `realtime.bridge.interface.Bridge`. `refuse` may raise for a publication."""

    refuse: Callable[[Publication], None] = lambda _: None
    latency_s: float = 0.0
    publications: list[Publication] = field(default_factory=list)
    attempts: int = 0

    async def broadcast(
        self, channels: Sequence[str], data: str, *, offset: int | None, event_id: str
    ) -> None:
        self.attempts += 1
        envelope = json.loads(data)
        publication = Publication(
            channels=tuple(channels),
            offset=offset,
            event_id=event_id,
            at=asyncio.get_running_loop().time(),
            type=envelope["type"],
            seq=envelope.get("seq"),
        )
        self.refuse(publication)
        await asyncio.sleep(self.latency_s)
        self.publications.append(publication)

    async def position(self, channel: str) -> Position:
        raise NotImplementedError

    async def presence(self, channels: Sequence[str]) -> dict[str, int]:
        raise NotImplementedError

    async def disconnect(self, visitor_id: str, code: int, reason: str) -> None:
        raise NotImplementedError

    def offsets(self) -> dict[str, list[int | None]]:
        """What came to each channel, in order."""
        found = defaultdict(list)
        for publication in self.publications:
            for channel in publication.channels:
                found[channel].append(publication.offset)
        return dict(found)

    def fail(self, *, permanent: bool = False) -> None:
        """Refuse everything until `recover`."""

        def refuse(_: Publication) -> None:
            raise BridgeError("It is down.", permanent=permanent)

        self.refuse = refuse

    def recover(self) -> None:
        self.refuse = lambda _: None


async def until(condition: Callable[[], object], *, within_s: float = 3.0) -> None:
    """Wait until it holds; fail when it takes too long."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 what it waits for knows no event
            await asyncio.sleep(0.002)
