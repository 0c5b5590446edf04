"""The caller."""

from ninja import Router

from realtime.events.shapes import Person
from webchat.api.agent.auth import AgentRequest
from webchat.api.agent.operation import call
from webchat.api.agent.schemas import Me, MyAgent, MyMembership
from webchat.permissions import list_permissions
from webchat.queries.membership import list_own

router = Router(tags=["Me"])


@router.get("/me", response=Me, summary="Get the caller", **call("read"))
def get_me(request: AgentRequest) -> Me:
    """The agent whose session or token this is, and what they may do."""
    agent = request.auth
    return Me(
        agent=MyAgent(
            id=agent.user_id,
            name=agent.name,
            email=agent.email,
            role=agent.role,
            status=agent.availability,
        ),
        organization_id=agent.organization_id,
        memberships=[
            MyMembership(
                id=row.pk,
                organization=Person(id=row.organization_id, name=row.organization.name),
                role=row.role,
            )
            for row in list_own(agent)
        ],
        permissions=list_permissions(agent),
        scopes=None if agent.scopes is None else sorted(agent.scopes),
    )
