"""The caller over REST."""

from typing import Any

import pytest

from tests.factories import make_organization
from tests.webchat.api.agent.caller import Caller
from webchat.models import Membership, Organization, Role, User
from webchat.principal import Agent

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(agent: Agent) -> Membership:
    """The agent's membership in another organization."""
    return Membership.objects.create(
        organization=make_organization("Elsewhere"), user_id=agent.user_id, role=Role.OWNER
    )


def membership(row: Membership) -> dict[str, Any]:
    return {
        "id": row.pk,
        "organization": {"id": row.organization_id, "name": row.organization.name},
        "role": row.role,
    }


def test_a_token_shows_its_own_organization_alone(
    agent: Agent, organization: Organization, second: Membership
) -> None:
    body = Caller.by_token(agent, "read", "write").ask("/me").json()
    assert body == {
        "agent": {
            "id": agent.user_id,
            "name": agent.name,
            "email": agent.email,
            "role": "agent",
            "status": "available",
        },
        "organization_id": organization.pk,
        "memberships": [membership(Membership.objects.get(pk=agent.membership_id))],
        "permissions": ["conversations", "conversations.write"],
        "scopes": ["read", "write"],
    }


def test_a_browser_shows_every_live_membership(agent: Agent, second: Membership) -> None:
    caller = Caller()
    caller.force_login(User.objects.get(pk=agent.user_id))
    first = Membership.objects.get(pk=agent.membership_id)
    body = caller.ask("/me").json()
    assert body["memberships"] == [membership(first), membership(second)]
    assert body["scopes"] is None
    second.revoked_at = first.created_at
    second.save()
    assert caller.ask("/me").json()["memberships"] == [membership(first)]


def test_permissions_follow_role_and_scope(owner: Agent) -> None:
    assert Caller.by_token(owner).ask("/me").json()["permissions"] == [
        "conversations",
        "conversations.write",
        "sites.manage",
        "members.manage",
        "sessions.revoke",
    ]
    assert Caller.by_token(owner, "read").ask("/me").json()["permissions"] == ["conversations"]
