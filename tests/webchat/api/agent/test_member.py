"""Members over REST."""

import pytest

from tests.factories import make_agent
from tests.webchat.api.agent.caller import Caller, refusal
from webchat.models import Organization
from webchat.principal import Agent

pytestmark = pytest.mark.django_db


def test_a_revoked_member_has_no_more_access(
    organization: Organization, by_owner: Caller, agent: Agent, caller: Caller
) -> None:
    response = by_owner.tell(f"/members/{agent.membership_id}", method="DELETE")
    assert (response.status_code, response.content) == (204, b"")
    assert refusal(caller.ask("/me")) == (401, "UNAUTHORIZED")
    again = by_owner.tell(f"/members/{agent.membership_id}", method="DELETE")
    assert refusal(again) == (404, "NOT_FOUND")


def test_the_last_owner_stays(by_owner: Caller, owner: Agent) -> None:
    response = by_owner.tell(f"/members/{owner.membership_id}", method="DELETE")
    assert refusal(response) == (409, "LAST_OWNER")


def test_agents_revoke_nobody(organization: Organization, caller: Caller) -> None:
    other = make_agent(organization)
    response = caller.tell(f"/members/{other.membership_id}", method="DELETE")
    assert refusal(response) == (403, "FORBIDDEN")
