"""Somebody who calls, and somebody whom they must not reach."""

import pytest

from tests.factories import make_agent, make_organization, make_site, open_visitor, say
from tests.webchat.api.agent.caller import Caller
from webchat.models import Organization, Role, Site
from webchat.principal import Agent, VisitorAccess


@pytest.fixture
def caller(agent: Agent) -> Caller:
    """The agent with a token of every scope."""
    return Caller.by_token(agent)


@pytest.fixture
def owner(organization: Organization) -> Agent:
    return make_agent(organization, role=Role.OWNER)


@pytest.fixture
def by_owner(owner: Agent) -> Caller:
    return Caller.by_token(owner)


@pytest.fixture
def conversation_id(visitor: VisitorAccess) -> int:
    """An open conversation with one message."""
    return say(visitor, "Hello").conversation_id


@pytest.fixture
def foreign_site(db: None) -> Site:
    return make_site(make_organization("Elsewhere"))


@pytest.fixture
def foreign_conversation_id(foreign_site: Site) -> int:
    return say(open_visitor(foreign_site), "Secret").conversation_id


@pytest.fixture
def visitor_contact(visitor: VisitorAccess) -> int:
    return visitor.contact_id
