"""One connection's place in one channel's stream."""

import asyncio
from enum import Enum, auto

from realtime.gateway.ports import Publication, StreamPosition
from realtime.gateway.replies import Message


class Step(Enum):
    """What a live publication means to the subscriber."""

    NEXT = auto()
    KNOWN = auto()
    """Already sent, as part of the recovery."""
    GAP = auto()
    """Something before it is missing, or the stream is another one."""


class Subscription:
    """Holds live publications back until the subscriber knows where in the stream it starts."""

    __slots__ = ("_epoch", "_held", "_offset", "expiry")

    def __init__(self) -> None:
        self.expiry: asyncio.TimerHandle | None = None
        self._offset = 0
        self._epoch = ""
        self._held: list[tuple[Publication, Message]] | None = []

    def hold(self, publication: Publication, message: Message) -> bool:
        """True when it has to wait for `start`, which gives it back."""
        if self._held is None:
            return False
        self._held.append((publication, message))
        return True

    def start(self, position: StreamPosition) -> list[tuple[Publication, Message]]:
        """Continue from `position`; returns what was held back, to be delivered now."""
        self._offset, self._epoch = position.offset, position.epoch
        held, self._held = self._held, None
        return held or []

    def advance(self, publication: Publication) -> Step:
        """Move on by one publication (centrifuge client.go, writePublicationUpdatePosition)."""
        if not publication.offset:
            return Step.NEXT
        if not self._same_stream(publication.epoch) or publication.offset > self._offset + 1:
            return Step.GAP
        if publication.offset <= self._offset:
            return Step.KNOWN
        self._offset = publication.offset
        return Step.NEXT

    def is_behind(self, top: StreamPosition) -> bool:
        """True when the stream has something that the subscriber was not sent."""
        return self._held is None and (
            not self._same_stream(top.epoch) or top.offset > self._offset
        )

    def _same_stream(self, epoch: str) -> bool:
        return not epoch or not self._epoch or epoch == self._epoch
