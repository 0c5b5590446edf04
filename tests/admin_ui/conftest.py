"""Somebody with a password, and a browser."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from tests.factories import make_agent
from webchat.models import Organization, User
from webchat.principal import Agent

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _fresh_limits() -> Iterator[None]:
    """Forget the attempts of other tests."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def neema(organization: Organization) -> Agent:
    return make_agent(organization, name="Neema <b>", email="neema@example.com", password=PASSWORD)


@pytest.fixture
def signed_in(neema: Agent) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=neema.user_id))
    return client
