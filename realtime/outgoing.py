"""An event on its way: numbered, and its payloads already JSON text."""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from realtime.events import Audience, Event, Shape
from realtime.models import StoredEvent


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Numbers are None for ephemeral events, and `stream_seq` where no visitor sees it.

    `channels` are the contact's visitor channels at the time of publishing. `pending_from` is the
    oldest stream number of the contact that was still undelivered then, None when there was none.
    Ephemeral events of one `topic` replace each other while they wait; durable ones have none.
    """

    event_id: UUID
    type: str
    organization_id: int
    site_id: int | None
    conversation_id: int | None
    audience: Audience
    agent_payload: str | None
    contact_id: int | None = None
    visitor_type: str | None = None
    visitor_payload: str | None = None
    channels: tuple[str, ...] = ()
    row_id: int | None = None
    seq: int | None = None
    stream_seq: int | None = None
    pending_from: int | None = None
    waits_for_sender: bool = False
    topic: str = ""

    @classmethod
    def from_row(cls, row: StoredEvent, channels: tuple[str, ...] = ()) -> Self:
        """An event read back from the log; it no longer waits for anybody."""
        return cls(
            event_id=row.event_id,
            type=row.type,
            organization_id=row.organization_id,
            site_id=row.site_id,
            conversation_id=row.conversation_id,
            audience=Audience.SITE,
            agent_payload=row.agent_payload,
            contact_id=row.contact_id,
            visitor_type=row.visitor_type,
            visitor_payload=row.visitor_payload,
            channels=channels,
            row_id=row.pk,
            seq=row.seq,
            stream_seq=row.stream_seq,
        )

    def agent_frame(self) -> str:
        """The frame for agents but for its opening brace and `prev`, which differ per socket."""
        seq = f'"seq":{self.seq},' if self.seq is not None else ""
        conversation = "null" if self.conversation_id is None else self.conversation_id
        return (
            f'"type":"{self.type}",{seq}"event_id":"{self.event_id}",'
            f'"conversation_id":{conversation},"data":{self.agent_payload}}}'
        )

    def visitor_envelope(self) -> str:
        """The publication's data on `visitor:{visitor_id}` (spec: widget contract, Realtime)."""
        engagement = 0 if self.conversation_id is None else self.conversation_id
        seq = f'"seq":{self.stream_seq},' if self.stream_seq is not None else ""
        return (
            f'{{"type":"{self.visitor_type}","engagement_id":{engagement},{seq}'
            f'"event_id":"{self.event_id}","data":{self.visitor_payload}}}'
        )


def ephemeral(event: Event, channels: tuple[str, ...]) -> Outgoing:
    """An event without a row: no numbers, no second try."""
    return Outgoing(
        event_id=event.event_id,
        type=event.type,
        organization_id=event.organization_id,
        site_id=event.site_id,
        conversation_id=event.conversation_id,
        audience=event.audience,
        agent_payload=None if event.data is None else encode(event.data),
        contact_id=event.contact_id,
        visitor_type=event.visitor_type if event.visitor else None,
        visitor_payload=encode(event.visitor) if event.visitor else None,
        channels=channels,
        topic=event.topic(),
    )


def encode(shape: Shape) -> str:
    """JSON text of a payload; fields that the publisher left unset stay out."""
    return shape.model_dump_json(exclude_unset=True)
