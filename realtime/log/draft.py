"""What goes into the log, and the numbers that come back."""

from dataclasses import dataclass

from realtime.events import Event


@dataclass(frozen=True, slots=True)
class Draft:
    """An event as its row will be, before its numbers. `contact_id` only where visitors see it."""

    event: Event
    agent_payload: str
    contact_id: int | None
    visitor_type: str | None
    visitor_payload: str | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the database gave an event; `Outgoing` explains the last two."""

    row_id: int
    seq: int
    stream_seq: int | None
    pending_from: int | None
    channels: tuple[str, ...]
