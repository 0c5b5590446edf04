"""Whatever a client sends, within the described shapes or without: described answers, never 5xx."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.utils import timezone
from hypothesis import HealthCheck, settings
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks

from tests.factories import (
    ORIGIN,
    make_agent,
    make_organization,
    make_site,
    make_token,
    open_visitor,
    say,
)
from webchat.api.agent.api import api
from webchat.api.widget.app import WidgetApp
from webchat.models import Role, Site
from webchat.services.session import open_session

DOCUMENT = api.get_openapi_schema(path_prefix="/api/")
AGENTS = schemathesis.openapi.from_dict(DOCUMENT)
AGENTS.app = get_wsgi_application()
VISITORS = schemathesis.openapi.from_dict(DOCUMENT)
VISITORS.app = WidgetApp()

ELSEWHERE = [
    checks.ignored_auth,  # here every call has what it needs
    checks.positive_data_acceptance,  # no schema can say "not blank", or "a cursor of ours"
    checks.negative_data_rejection,  # unknown parts of a query are ignored
]

bounded = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,  # a red run has its cause in the change
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def _kept_connection(db: None) -> Iterator[None]:
    """Keep the test's own connection, as Django's test client does."""
    ends = (request_started, request_finished)
    for end in ends:
        end.disconnect(close_old_connections)
    yield
    for end in ends:
        end.connect(close_old_connections)


@pytest.fixture
def ids(site: Site) -> dict[str, int]:
    """Rows that are there, by the name of their ids in paths."""
    visitor = open_visitor(site)
    return {
        "conversation_id": say(visitor).conversation_id,
        "contact_id": visitor.contact_id,
        "membership_id": make_agent(site.organization).membership_id,
    }


@pytest.fixture
def token(site: Site) -> str:
    owner = make_agent(site.organization, role=Role.OWNER)
    return make_token(owner, ("read", "write", "admin"))


@pytest.fixture
def session_token(transactional_db: None) -> str:
    now = timezone.now()
    return open_session(
        site_id=make_site(make_organization()).pk,
        visitor_id=str(uuid4()),
        origin=ORIGIN,
        user_agent="",
        name="",
        email="",
        metadata={},
        now=now,
    ).token


def assert_sound(case: Any, response: Response) -> None:
    """A described answer; every refusal in the one shape."""
    case.validate_response(response, excluded_checks=ELSEWHERE)
    if response.status_code >= 400:
        assert set(response.json()) == {"error"}
        assert set(response.json()["error"]) == {"code", "message", "details"}


@AGENTS.exclude(tag="Widget").parametrize()
@bounded
@pytest.mark.usefixtures("_kept_connection")
def test_agents(case: Any, ids: dict[str, int], token: str) -> None:
    for name, value in case.path_parameters.items():
        if isinstance(value, int) and value % 2:  # the others are unknown, or no ids at all
            case.path_parameters[name] = ids[name]
    assert_sound(case, case.call(headers={"Authorization": f"Bearer {token}"}))


@VISITORS.include(tag="Widget").parametrize()
@bounded
def test_visitors(case: Any, session_token: str) -> None:
    headers = {"Authorization": f"Bearer {session_token}", "Origin": ORIGIN}
    assert_sound(case, case.call(headers=headers, app=WidgetApp()))
