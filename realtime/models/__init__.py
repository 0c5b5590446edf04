"""The spine's tables. They hold plain ids and refer to no table above them."""

from realtime.models.event import StoredEvent
from realtime.models.installation import Installation
from realtime.models.lease import Lease
from realtime.models.presence import AgentPresence, VisitorPresence
from realtime.models.stream import ContactStream, OrganizationStream, VisitorChannel

__all__ = [
    "AgentPresence",
    "ContactStream",
    "Installation",
    "Lease",
    "OrganizationStream",
    "StoredEvent",
    "VisitorChannel",
    "VisitorPresence",
]
