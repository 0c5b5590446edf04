"""What people are doing right now. Never logged: the last value wins."""

from datetime import datetime
from typing import ClassVar, Literal

from realtime.events.base import Audience, Event, Shape
from realtime.events.shapes import SenderTypeName

PresenceStatus = Literal["available", "busy", "away", "offline"]


class TypingData(Shape):
    """`is_note` marks the typing of a private note, which no visitor hears of."""

    sender_type: SenderTypeName
    sender_id: int
    sender_name: str | None
    is_note: bool


class VisitorTyping(Shape):
    """The guide's typing payload; `sender_name` is null where the agent has none."""

    engagement_id: int
    sender_type: SenderTypeName
    sender_id: int
    sender_name: str | None


class _Typing(Event):
    """What both typing events share; not an event itself."""

    durable: ClassVar = False
    audience: ClassVar = Audience.CONVERSATION

    data: TypingData
    visitor: VisitorTyping | None = None

    def topic(self) -> str:
        sender = f"{self.data.sender_type}:{self.data.sender_id}"
        return f"typing:{self.conversation_id}:{sender}:{self.data.is_note}"


class TypingStarted(_Typing):
    """Somebody types. It ends by `typing.stopped`, or 6 s after the last start."""

    type: ClassVar = "typing.started"
    visitor_type: ClassVar = "typing.started"


class TypingStopped(_Typing):
    """Somebody stopped typing."""

    type: ClassVar = "typing.stopped"
    visitor_type: ClassVar = "typing.stopped"


class ViewingData(Shape):
    """`viewing` false: the agent looks elsewhere now."""

    agent_id: int
    agent_name: str
    viewing: bool


class ViewingChanged(Event):
    """An agent opened, or left, a conversation."""

    type: ClassVar = "viewing.changed"
    durable: ClassVar = False
    audience: ClassVar = Audience.CONVERSATION

    data: ViewingData
    visitor: None = None

    def topic(self) -> str:
        return f"viewing:{self.conversation_id}:{self.data.agent_id}"


class PresenceData(Shape):
    """`status` is `offline` when the agent's last connection is gone for good."""

    agent_id: int
    status: PresenceStatus


class PresenceChanged(Event):
    """An agent's availability changed."""

    type: ClassVar = "presence.changed"
    durable: ClassVar = False

    data: PresenceData
    visitor: None = None

    def topic(self) -> str:
        return f"presence:{self.data.agent_id}"


class VisitorPresenceData(Shape):
    """`at` is when the connection was made or last known."""

    contact_id: int
    at: datetime


class VisitorConnected(Event):
    """A contact came online: set `contact.online` in its rows."""

    type: ClassVar = "visitor.connected"
    durable: ClassVar = False

    data: VisitorPresenceData
    visitor: None = None

    def topic(self) -> str:
        return f"visitor:{self.data.contact_id}"


class VisitorDisconnected(Event):
    """A contact has had no connection for 120 s: a reload or a second tab is no such event."""

    type: ClassVar = "visitor.disconnected"
    durable: ClassVar = False

    data: VisitorPresenceData
    visitor: None = None

    def topic(self) -> str:
        return f"visitor:{self.data.contact_id}"


class SessionRevoked(Shape):
    """The visitor's sessions were ended by an agent: forget the session and stop."""


class VisitorSessionsRevoked(Event):
    """A contact's sessions were revoked. The sockets are closed with 4501 right after."""

    type: ClassVar = "contact.sessions_revoked"
    visitor_type: ClassVar = "session.revoked"
    durable: ClassVar = False

    data: None = None
    visitor: SessionRevoked
