"""The life of a conversation."""

from datetime import datetime
from typing import ClassVar

from realtime.events.base import Event, Shape
from realtime.events.shapes import AgentChange, ConversationRow, Person


class ConversationStartedData(Shape):
    """The whole list row."""

    row: ConversationRow


class ConversationStarted(Event):
    """A visitor's first message opened a conversation; its `message.created` follows.

    Agents insert the row in the lists that it belongs to.
    """

    type: ClassVar = "conversation.started"

    data: ConversationStartedData
    visitor: None = None


class ConversationAssignedData(Shape):
    """`agent` and `team` as they are now; null is nobody. `by` is the id of who did it.

    The whole row: the new owner's list may not have it yet.
    """

    row: ConversationRow
    agent: Person | None
    team: Person | None
    by: int


class EngagementAssigned(Shape):
    """The guide's `engagement.assigned`: show who is there to help."""

    engagement_id: int
    agent: Person


class ConversationAssigned(Event):
    """The owner or the team changed, by claim or assignment.

    Visitors hear of it only where there is an agent to show.
    """

    type: ClassVar = "conversation.assigned"
    visitor_type: ClassVar = "engagement.assigned"

    data: ConversationAssignedData
    visitor: EngagementAssigned | None


class ConversationClosedData(AgentChange):
    """`by` is the agent's id; null when the visitor ended it."""

    by: int | None
    reason: str | None
    closed_at: datetime


class EngagementClosed(Shape):
    """The guide's `engagement.closed`: the composer rests; the next message opens a new one."""

    engagement_id: int
    closed_at: datetime
    reason: str | None


class ConversationClosed(Event):
    """The conversation was closed."""

    type: ClassVar = "conversation.closed"
    visitor_type: ClassVar = "engagement.closed"

    data: ConversationClosedData
    visitor: EngagementClosed


class ConversationReopenedData(Shape):
    """`by` is the agent's id. The whole row: a list of open conversations lacks it."""

    row: ConversationRow
    by: int


class EngagementReopened(Shape):
    """The composer works on the same engagement again. `agent` owns it; null is nobody."""

    engagement_id: int
    agent: Person | None


class ConversationReopened(Event):
    """A closed conversation is open again, by command or because an agent wrote to it."""

    type: ClassVar = "conversation.reopened"
    visitor_type: ClassVar = "engagement.reopened"

    data: ConversationReopenedData
    visitor: EngagementReopened
