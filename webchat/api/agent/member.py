"""Members of the organization."""

from django.utils import timezone
from ninja import Router

from project.database import write_blocking
from project.errors import NotFound
from realtime.commands import Id
from webchat.api.agent.auth import AgentRequest
from webchat.api.agent.operation import call
from webchat.services.member import LastOwner, revoke_member

router = Router(tags=["Members"])


@router.delete(
    "/members/{rowid:membership_id}",
    response={204: None},
    summary="Revoke a membership",
    **call("admin", NotFound, LastOwner),
)
def revoke_membership(request: AgentRequest, membership_id: Id) -> None:
    """For owners and admins. By the membership's id; its tokens and sockets end with it."""
    write_blocking(
        revoke_member, agent=request.auth, membership_id=membership_id, now=timezone.now()
    )
