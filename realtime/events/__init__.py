"""The catalogue: everything that can happen, each as one class."""

from realtime.events.activity import (
    PresenceChanged,
    TypingStarted,
    TypingStopped,
    ViewingChanged,
    VisitorConnected,
    VisitorDisconnected,
    VisitorSessionsRevoked,
)
from realtime.events.base import Audience, Event, Shape
from realtime.events.contact import ContactUpdated
from realtime.events.conversation import (
    ConversationAssigned,
    ConversationClosed,
    ConversationReopened,
    ConversationStarted,
)
from realtime.events.message import MessageCreated, SeenUpdated

CATALOGUE: tuple[type[Event], ...] = (
    MessageCreated,
    ConversationStarted,
    ConversationAssigned,
    ConversationClosed,
    ConversationReopened,
    ContactUpdated,
    SeenUpdated,
    TypingStarted,
    TypingStopped,
    ViewingChanged,
    PresenceChanged,
    VisitorConnected,
    VisitorDisconnected,
    VisitorSessionsRevoked,
)

__all__ = [
    "CATALOGUE",
    "Audience",
    "ContactUpdated",
    "ConversationAssigned",
    "ConversationClosed",
    "ConversationReopened",
    "ConversationStarted",
    "Event",
    "MessageCreated",
    "PresenceChanged",
    "SeenUpdated",
    "Shape",
    "TypingStarted",
    "TypingStopped",
    "ViewingChanged",
    "VisitorConnected",
    "VisitorDisconnected",
    "VisitorSessionsRevoked",
]
