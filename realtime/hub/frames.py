"""An event as the hub passes it to sockets: encoded once, but for what differs per socket."""

from dataclasses import dataclass
from typing import Any, Self

from realtime.events import Audience
from realtime.outgoing import Outgoing


@dataclass(frozen=True, slots=True)
class Frame:
    """`body` is the JSON text without its opening brace; numbered frames get `prev` before it."""

    seq: int | None
    site_id: int | None
    conversation_id: int | None
    audience: Audience
    body: str

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> Self:
        """From the channel layer (`realtime.sinks.agents`)."""
        return cls(
            message["seq"],
            message["site_id"],
            message["conversation_id"],
            Audience(message["audience"]),
            message["frame"],
        )

    @classmethod
    def from_log(cls, event: Outgoing) -> Self:
        return cls(
            event.seq, event.site_id, event.conversation_id, event.audience, event.agent_frame()
        )

    def text(self, prev: int) -> str:
        """The whole frame for a socket whose last number was `prev`."""
        return f"{{{self.body}" if self.seq is None else f'{{"prev":{prev},{self.body}'


def head_text(seq: int, prev: int) -> str:
    """Moves a client's position past what it may not see, and shows that the line is alive."""
    return f'{{"type":"head","seq":{seq},"prev":{prev}}}'
