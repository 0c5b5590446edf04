"""Events as their readers see them."""

import json
from typing import Any

from realtime.outgoing import Outgoing


def data_of(event: Outgoing) -> Any:
    """Return what agents get."""
    return None if event.agent_payload is None else json.loads(event.agent_payload)


def visitor_data_of(event: Outgoing) -> Any:
    """Return what the contact's visitors get; None where they get nothing."""
    return None if event.visitor_payload is None else json.loads(event.visitor_payload)


def place_of(event: Outgoing) -> dict[str, Any]:
    """Return whom and what the event is about."""
    return {
        "organization_id": event.organization_id,
        "site_id": event.site_id,
        "conversation_id": event.conversation_id,
        "contact_id": event.contact_id,
    }
