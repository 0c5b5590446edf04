from datetime import UTC, datetime

import pytest
from django.utils import timezone

from project.errors import Forbidden, NotFound
from tests.factories import make_agent, make_organization, make_token
from tests.threads import together
from webchat.models import ApiToken, Membership, Organization, Role
from webchat.principal import Agent
from webchat.queries.agent import find_by_token
from webchat.services.member import LastOwner, revoke_member

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def owner(organization: Organization) -> Agent:
    return make_agent(organization, role=Role.OWNER)


def revoke(by: Agent, whom: Agent) -> None:
    revoke_member(agent=by, membership_id=whom.membership_id, now=NOW)


def revoked_at(agent: Agent) -> datetime | None:
    return Membership.objects.get(pk=agent.membership_id).revoked_at


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_managers_end_a_membership_and_its_tokens(
    role: Role, organization: Organization, owner: Agent, agent: Agent
) -> None:
    token, kept = make_token(agent), make_token(owner)
    revoke(make_agent(organization, role=role), agent)
    assert revoked_at(agent) == NOW
    assert find_by_token(token, now=timezone.now()) is None
    assert ApiToken.objects.get(membership_id=agent.membership_id).revoked_at == NOW
    assert find_by_token(kept, now=timezone.now()) is not None


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AGENT])
def test_others_may_not(role: Role, organization: Organization, agent: Agent) -> None:
    with pytest.raises(Forbidden):
        revoke(make_agent(organization, role=role), agent)
    assert revoked_at(agent) is None


def test_an_admin_may_not_remove_an_owner(organization: Organization, owner: Agent) -> None:
    make_agent(organization, role=Role.OWNER)
    with pytest.raises(Forbidden):
        revoke(make_agent(organization, role=Role.ADMIN), owner)
    assert revoked_at(owner) is None


def test_an_owner_may_remove_another(organization: Organization, owner: Agent) -> None:
    other = make_agent(organization, role=Role.OWNER)
    revoke(owner, other)
    assert revoked_at(other) == NOW


def test_the_last_owner_stays(organization: Organization, owner: Agent) -> None:
    revoke(owner, make_agent(organization, role=Role.OWNER))
    make_agent(make_organization("Other"), role=Role.OWNER)
    with pytest.raises(LastOwner):
        revoke(owner, owner)
    assert revoked_at(owner) is None


def test_unknown_foreign_and_ended_memberships_are_not_found(owner: Agent, agent: Agent) -> None:
    revoke(owner, agent)
    stranger = make_agent(make_organization("Other"))
    for membership_id in (agent.membership_id, stranger.membership_id, 10**15):
        with pytest.raises(NotFound):
            revoke_member(agent=owner, membership_id=membership_id, now=timezone.now())
    assert revoked_at(agent) == NOW
    assert revoked_at(stranger) is None


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_leave_one(
    organization: Organization, owner: Agent
) -> None:
    other = make_agent(organization, role=Role.OWNER)

    def attempt(by: Agent, whom: Agent) -> bool:
        try:
            revoke(by, whom)
        except LastOwner:
            return False
        return True

    for _ in range(10):
        won = together(lambda: attempt(owner, other), lambda: attempt(other, owner))
        assert sorted(won) == [False, True]
        Membership.objects.update(revoked_at=None)
