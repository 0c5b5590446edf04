"""Stands in for the process that an application runs in."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from project import database
from realtime import runtime
from realtime.bridge.interface import Position


@dataclass
class Transport:
    """The process's bridge and its visitors' sink at once.

    `meanwhile` happens after the position was read, before the answer.
    """

    wait_s: float = 0
    error: Exception | None = None
    meanwhile: Callable[[], object] | None = None
    asked: list[str] = field(default_factory=list)
    released: list[tuple[int, UUID]] = field(default_factory=list)

    @property
    def bridge(self) -> "Transport":
        return self

    @property
    def visitors(self) -> "Transport":
        return self

    async def position(self, channel: str) -> Position:
        self.asked.append(channel)
        await asyncio.sleep(self.wait_s)
        if self.error is not None:
            raise self.error
        if self.meanwhile is not None:
            await database.write(self.meanwhile)
        return Position(offset=7, epoch="e1")

    def release(self, contact_id: int, event_id: UUID) -> None:
        self.released.append((contact_id, event_id))


def install(monkeypatch: pytest.MonkeyPatch, transport: Transport) -> Transport:
    monkeypatch.setattr(runtime, "find", lambda: transport)
    return transport
