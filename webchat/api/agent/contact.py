"""Contacts: ending a person's sessions."""

from django.utils import timezone
from ninja import Router

from project.database import write_blocking
from project.errors import Forbidden, NotFound
from realtime.commands import Id
from webchat.api.agent.auth import AgentRequest
from webchat.api.agent.operation import call
from webchat.permissions import may_revoke_sessions
from webchat.services.session import revoke_sessions

router = Router(tags=["Contacts"])


@router.post(
    "/contacts/{rowid:contact_id}/revoke-sessions",
    response={204: None},
    summary="Revoke a contact's sessions",
    **call("admin", NotFound),
)
def revoke(request: AgentRequest, contact_id: Id) -> None:
    """For owners, admins and supervisors. Ends the tokens of all the contact's browsers."""
    if not may_revoke_sessions(request.auth):
        raise Forbidden
    write_blocking(revoke_sessions, agent=request.auth, contact_id=contact_id, now=timezone.now())
