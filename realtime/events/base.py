"""What every event has: routing, and one frozen payload per audience.

A payload is built by the service that publishes, at that moment, and never read again from the
rows: whoever gets the event later gets the same bytes.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """A typed piece of JSON on a wire; a field that it doesn't declare fails at construction."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Audience(StrEnum):
    """Which agents of the organization an event is for; a site's visibility applies to all."""

    SITE = "site"
    """Everyone who sees the site; the whole organization where the event has no site."""
    CONVERSATION = "conversation"
    """Those who have the conversation open."""


class Event(Shape):
    """Base of the catalogue (`realtime.events`).

    Durable events have numbers and a row in the log; the others are sent once and forgotten.
    `visitor` is None where the visitor must not see it: then it has no place in the visitor's
    stream either.
    """

    type: ClassVar[str]
    visitor_type: ClassVar[str | None] = None
    durable: ClassVar[bool] = True
    audience: ClassVar[Audience] = Audience.SITE

    event_id: UUID = Field(default_factory=uuid4)
    at: datetime
    organization_id: int
    site_id: int | None = None
    conversation_id: int | None = None
    contact_id: int | None = None
    data: Shape | None
    visitor: Shape | None = None

    def topic(self) -> str:
        """Ephemeral events of one topic wait a moment, and replace each other; "" goes at once."""
        return ""

    def waits_for_sender(self) -> bool:
        """Whether the visitor's copy gives the sender's own HTTP answer a head start."""
        return False
