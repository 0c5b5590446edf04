"""What the product asks of the visitors' transport, whichever serves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Position:
    """The top of a channel's stream. The epoch changes when offsets no longer compare."""

    offset: int
    epoch: str


class BridgeError(Exception):
    """The transport did not take it. `permanent`: trying again cannot help, somebody must look."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        self.permanent = permanent
        super().__init__(message)


class Bridge(Protocol):
    """Every method raises BridgeError when the transport is out of reach or refuses."""

    async def broadcast(
        self, channels: Sequence[str], data: str, *, offset: int | None, event_id: str
    ) -> None:
        """Publish JSON text to channels; `offset` is None for what is not kept.

        The caller sends to one channel in order, one at a time. A second call with the same
        `event_id` delivers nothing new.
        """

    async def position(self, channel: str) -> Position:
        """The stream's top; whatever is published afterwards has a higher offset."""

    async def presence(self, channels: Sequence[str]) -> dict[str, int]:
        """How many connections listen on each channel."""

    async def disconnect(self, visitor_id: str, code: int, reason: str) -> None:
        """Close the visitor's connections everywhere."""
