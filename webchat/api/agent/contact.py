"""Contacts: ending a person's sessions."""

from django.utils import timezone
from ninja import Router

from project.database import write_blocking
from project.errors import NotFound
from realtime import runtime
from realtime.commands import Id
from webchat.api.agent.auth import AgentRequest
from webchat.api.agent.operation import call
from webchat.services.session import revoke_sessions

router = Router(tags=["Contacts"])
SESSION_REVOKED = 4501, "session revoked"


@router.post(
    "/contacts/{rowid:contact_id}/revoke-sessions",
    response={204: None},
    summary="Revoke a contact's sessions",
    **call("admin", NotFound),
)
def revoke_contact_sessions(request: AgentRequest, contact_id: Id) -> None:
    """For owners, admins and supervisors. Ends the tokens of all the contact's browsers."""
    visitor_ids = write_blocking(
        revoke_sessions, agent=request.auth, contact_id=contact_id, now=timezone.now()
    )
    _disconnect(visitor_ids)


def _disconnect(visitor_ids: list[str]) -> None:
    process = runtime.find()
    if process is not None:
        for visitor_id in visitor_ids:
            process.run_soon(process.bridge.disconnect(visitor_id, *SESSION_REVOKED))
