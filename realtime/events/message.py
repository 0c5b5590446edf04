"""Messages."""

from datetime import datetime
from typing import Any, ClassVar, Literal

from realtime.events.base import Event, Shape
from realtime.events.shapes import Marks, MessageShape, RowChange, SenderShape


class MessageCreatedData(MessageShape):
    """The whole message, so that nobody has to fetch before showing it."""

    row: RowChange


class MessageNew(Shape):
    """The guide's `message.new`, with the fields that its later readers need.

    A client skips a `message_id` that it shows already, and takes a `client_message_id` of its
    own as the confirmation of what it sent.
    """

    message_id: int
    id: int
    content: str
    content_type: Literal["TEXT"]
    sender: SenderShape
    created_at: datetime
    parent_message_id: int | None
    client_message_id: str | None
    attachments: list[dict[str, Any]]
    metadata: dict[str, Any]


class MessageCreated(Event):
    """A message or a private note was stored.

    Agents append it and update the list row. Visitors get public ones, their own included, so
    that their other tabs show them; a note has no visitor payload.
    """

    type: ClassVar = "message.created"
    visitor_type: ClassVar = "message.new"

    data: MessageCreatedData
    visitor: MessageNew | None

    def waits_for_sender(self) -> bool:
        return self.visitor is not None and self.visitor.sender.type == "CONTACT"


class MessageReadVisitor(Shape):
    """The guide's `message.read`: an agent has read up to and including `message_id`."""

    engagement_id: int
    reader_type: Literal["user"]
    reader_id: int
    message_id: int


class SeenData(Shape):
    """`by` has read up to and including `read_up_to`; `marks` are all as they are now."""

    by: Literal["agent", "visitor"]
    agent_id: int | None
    read_up_to: int
    marks: Marks
    row: RowChange


class SeenUpdated(Event):
    """Somebody has read or received further.

    The marks are in every snapshot of a conversation, so nothing is logged: who resumes takes the
    list and the open conversation anew.

    Agents draw read ticks and the unread badge; visitors draw read ticks when an agent has read.
    """

    type: ClassVar = "seen.updated"
    visitor_type: ClassVar = "message.read"
    durable: ClassVar = False

    data: SeenData
    visitor: MessageReadVisitor | None = None

    def topic(self) -> str:
        return f"seen:{self.conversation_id}:{self.data.by}"
