"""Tokens and sessions: who is let in, and how soon a change is noticed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import sleep
from uuid import uuid4

import pytest
import time_machine

from tests.factories import ORIGIN, make_agent
from tests.webchat.api.widget.browser import Browser
from tests.webchat.forgery import forge, forgeries
from webchat import signing
from webchat.api.widget import auth
from webchat.models import Organization, Role, Site, VisitorSession
from webchat.services.session import open_session, revoke_sessions

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield traveller


@pytest.fixture
def short_memory(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let facts be remembered for a moment only; returns how long to wait."""
    monkeypatch.setattr(auth, "FACTS_TTL_S", 0.02)
    return 0.03


def token_of(site: Site, *, begun: datetime) -> str:
    return open_session(
        site_id=site.pk,
        visitor_id=str(uuid4()),
        origin=ORIGIN,
        user_agent="",
        name="",
        email="",
        metadata={},
        now=begun,
    ).token


def statuses(browser: Browser) -> set[int]:
    return {
        browser.post("/webchat/bootstrap").status,
        browser.get("/webchat/messages").status,
        browser.post("/webchat/messages", {"content": "x"}).status,
        browser.post("/webchat/typing", {"state": "start"}).status,
        browser.post("/webchat/seen", {"engagement_id": 1, "message_id": 1}).status,
    }


def test_a_token_that_is_not_ours_opens_nothing(guest: Browser) -> None:
    genuine = guest.token or ""
    for token in forgeries(genuine):
        guest.token = token
        assert statuses(guest) == {401}, token
        refresh = guest.post("/auth/widget/session/refresh", {"session_token": token})
        assert (refresh.status, refresh.code) == (401, "UNAUTHORIZED")
    guest.token = forge(genuine)
    assert guest.post("/webchat/bootstrap").status == 200


def test_an_unauthorized_answer_says_what_is_needed(browser: Browser) -> None:
    answer = browser.post("/webchat/bootstrap")
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["{}", "Basic {}", "Token {}", "Bearer", "Bearer {} {}"])
def test_only_the_bearer_scheme_counts(guest: Browser, header: str) -> None:
    headers = {"authorization": header.format(guest.token, guest.token)}
    assert guest.post("/webchat/bootstrap", headers=headers).status == 401


def test_the_scheme_s_case_does_not_count(guest: Browser) -> None:
    headers = {"authorization": f"bearer {guest.token}"}
    assert guest.post("/webchat/bootstrap", headers=headers).status == 200


def test_a_token_ends_after_a_day(guest: Browser, clock: time_machine.Traveller) -> None:
    assert guest.post("/webchat/bootstrap").status == 200
    clock.shift(timedelta(hours=24))
    assert statuses(guest) == {401}


def test_a_refresh_does_not_prolong_the_old_token(
    guest: Browser, site: Site, clock: time_machine.Traveller
) -> None:
    old = guest.token
    clock.shift(timedelta(hours=23))
    refreshed = guest.post("/auth/widget/session/refresh", {"session_token": old}).json
    clock.shift(timedelta(hours=2))
    assert statuses(guest) == {401}
    guest.token = refreshed["session_token"]
    assert guest.post("/webchat/bootstrap").status == 200


def test_an_expired_token_is_refreshed_for_another_day_only(browser: Browser, site: Site) -> None:
    now = datetime.now(UTC)
    for age_h, status in ((25, 200), (47.9, 200), (48.1, 401), (1000, 401)):
        browser.token = token_of(site, begun=now - timedelta(hours=age_h))
        assert statuses(browser) == {401}
        answer = browser.post("/auth/widget/session/refresh", {"session_token": browser.token})
        assert answer.status == status


def revoke(organization: Organization) -> None:
    session = VisitorSession.objects.select_related("visitor").get()
    supervisor = make_agent(organization, role=Role.SUPERVISOR)
    contact_id = session.visitor.contact_id
    revoke_sessions(agent=supervisor, contact_id=contact_id, now=datetime.now(UTC))


def test_a_revoked_session_ends_when_it_is_forgotten(
    short_memory: float, guest: Browser, organization: Organization
) -> None:
    assert guest.post("/webchat/messages", {"content": "x"}).status == 201
    revoke(organization)
    sleep(short_memory)
    assert statuses(guest) == {401}
    answer = guest.post("/auth/widget/session/refresh", {"session_token": guest.token})
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


def test_bootstrap_gives_out_no_tokens_from_memory(
    guest: Browser, organization: Organization
) -> None:
    assert guest.post("/webchat/messages", {"content": "x"}).status == 201
    revoke(organization)
    assert guest.post("/webchat/bootstrap").status == 401
    assert statuses(guest) == {401}


def test_a_deleted_site_is_gone_when_it_is_forgotten(
    short_memory: float, guest: Browser, site: Site
) -> None:
    assert guest.post("/webchat/bootstrap").status == 200
    site.delete()
    sleep(short_memory)
    answer = guest.post("/webchat/bootstrap")
    assert (answer.status, answer.code) == (404, "WIDGET_NOT_FOUND")
    answer = guest.post("/auth/widget/session/refresh", {"session_token": guest.token})
    assert (answer.status, answer.code) == (404, "WIDGET_NOT_FOUND")


def test_a_changed_list_of_origins_counts_when_the_old_one_is_forgotten(
    short_memory: float, guest: Browser, site: Site
) -> None:
    assert guest.post("/webchat/bootstrap").status == 200
    site.allowed_origins = ["https://elsewhere.example"]
    site.save()
    sleep(short_memory)
    assert guest.post("/webchat/bootstrap").code == "ORIGIN_NOT_ALLOWED"


def test_a_session_without_the_scope_is_refused(guest: Browser) -> None:
    guest.token = forge(guest.token or "", scopes=["uploads"])
    answer = guest.post("/webchat/messages", {"content": "x"})
    assert (answer.status, answer.code) == (403, "SCOPE_MISSING")
    assert answer.details == {"scope": "messages"}


def test_a_session_that_is_gone_opens_nothing(guest: Browser) -> None:
    VisitorSession.objects.all().delete()
    assert statuses(guest) == {401}


def test_a_token_is_verified_once(guest: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    read = signing.read

    def counted(token: str) -> signing.SessionClaims:
        calls.append(token)
        return read(token)

    monkeypatch.setattr(signing, "read", counted)
    for _ in range(3):
        assert guest.post("/webchat/messages", {"content": "x"}).status == 201
    assert calls == [guest.token]


def test_an_expired_token_is_not_remembered(guest: Browser, site: Site) -> None:
    gate = guest.app._gate
    guest.token = token_of(site, begun=datetime.now(UTC) - timedelta(hours=25))
    guest.post("/webchat/bootstrap")
    assert not gate._claims


def test_claims_are_kept_as_they_were_issued(guest: Browser) -> None:
    guest.post("/webchat/bootstrap")
    (claims,) = guest.app._gate._claims.values()
    assert claims == replace(signing.read(guest.token or ""), origin=ORIGIN)
