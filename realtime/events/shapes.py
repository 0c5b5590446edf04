"""Shapes that several events, and the REST answers beside them, share.

Times are ISO 8601 in UTC with `Z`. Ids are the rows' ids; `conversation` on the agents' wire is
`engagement` on the visitor's.
"""

from datetime import datetime
from typing import Any, Literal

from realtime.events.base import Shape

SenderTypeName = Literal["CONTACT", "USER", "BOT", "SYSTEM"]
Direction = Literal["INBOUND", "OUTBOUND"]
Status = Literal["open", "closed"]


class Person(Shape):
    """An agent or a team by name."""

    id: int
    name: str


class ContactSummary(Shape):
    """`name` is null while unknown; `verified` tells whether it is proven or only claimed."""

    id: int
    name: str | None
    verified: bool
    online: bool


class LastMessage(Shape):
    """`preview` is the first 160 characters of the newest public message."""

    preview: str
    sender_type: SenderTypeName
    created_at: datetime


class ConversationRow(Shape):
    """A conversation as the agents' list shows it."""

    id: int
    public_id: str
    status: Status
    contact: ContactSummary
    site_id: int
    assignee: Person | None
    team: Person | None
    unread_count: int
    last_message: LastMessage | None
    last_activity_at: datetime
    created_at: datetime


class RowChange(Shape):
    """The fields of the list row that an event changed; absent fields are as before."""

    id: int
    status: Status = "open"
    contact: ContactSummary | None = None
    assignee: Person | None = None
    team: Person | None = None
    unread_count: int = 0
    last_message: LastMessage | None = None
    last_activity_at: datetime | None = None


class Marks(Shape):
    """Up to which message id each side has read, and the visitor's device has received; 0: none."""

    agents_read_up_to: int
    visitor_read_up_to: int
    visitor_delivered_up_to: int


class MessageShape(Shape):
    """A message as REST gives it, to agents and visitors alike."""

    id: int
    content: str
    message_type: Literal["TEXT"]
    sender_type: SenderTypeName
    sender_user_id: int | None
    sender_name: str | None
    direction: Direction
    created_at: datetime
    is_public: bool
    parent_message_id: int | None
    client_message_id: str | None
    attachments: list[dict[str, Any]]
    reactions: list[dict[str, Any]]
    metadata: dict[str, Any]


class AgentChange(Shape):
    """The least that a durable event tells agents: what changed in the list row."""

    row: RowChange


class SenderShape(Shape):
    """Who did it, as the visitor sees it: an agent by id and name."""

    type: SenderTypeName
    id: int
    name: str | None
