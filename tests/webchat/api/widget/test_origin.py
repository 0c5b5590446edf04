"""Which pages are let in, on every call, and what their browsers may read."""

from typing import Any
from uuid import uuid4

import pytest
import structlog
from pytest_django import Settings

from tests.factories import ORIGIN, make_site
from tests.webchat.api.widget.browser import Answer, Browser
from tests.webchat.api.widget.conftest import NewBrowser
from webchat.models import Message, Organization, Site, VisitorSession

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = "https://other.example"
EVIL = "https://evil.example"


def with_token(browser: Browser, **how: Any) -> list[Answer]:
    """Every call that names its site by a token."""
    token = {"session_token": browser.token}
    return [
        browser.post("/webchat/bootstrap", **how),
        browser.get("/webchat/messages", **how),
        browser.post("/webchat/messages", {"content": "x"}, **how),
        browser.post("/webchat/typing", {"state": "start"}, **how),
        browser.post("/webchat/seen", {"engagement_id": 1, "message_id": 1}, **how),
        browser.post("/auth/widget/session/refresh", token, **how),
    ]


def with_key(browser: Browser, site: Site, **how: Any) -> list[Answer]:
    """Both calls that name their site by its key."""
    key = {"widget_key": site.widget_key}
    body = key | {"visitor_id": str(uuid4())}
    return [
        browser.get("/webchat/config", key, **how),
        browser.post("/auth/widget/session", body, **how),
    ]


def assert_refused(answer: Answer) -> None:
    assert (answer.status, answer.code) == (403, "ORIGIN_NOT_ALLOWED")
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"] == "Origin"


def assert_readable(answer: Answer, origin: str = ORIGIN) -> None:
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-expose-headers"] == "Retry-After, ETag"
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers
    assert "set-cookie" not in answer.headers


def test_every_call_of_an_allowed_page_is_readable(guest: Browser, site: Site) -> None:
    answers = [*with_key(guest, site), *with_token(guest)]
    assert [answer.status for answer in answers] == [200, 200, 200, 200, 201, 204, 403, 200]
    for answer in answers:
        assert_readable(answer)


def test_config_and_session_are_for_listed_pages(
    browser: Browser, organization: Organization
) -> None:
    site = make_site(organization, allowed_origins=["https://acme.com", "*.acme.com"])
    for origin in ("https://acme.com", "https://shop.acme.com"):
        for answer in with_key(browser, site, origin=origin):
            assert answer.status == 200
            assert_readable(answer, origin)
    for origin in ("http://acme.com", "https://evilacme.com", "https://acme.com.evil.com", "null"):
        for answer in with_key(browser, site, origin=origin):
            assert_refused(answer)
    assert VisitorSession.objects.count() == 2


def test_a_page_that_is_not_listed_is_refused_with_a_token_too(guest: Browser) -> None:
    for answer in with_token(guest, origin=EVIL):
        assert_refused(answer)
    assert not Message.objects.exists()


def test_a_token_does_not_work_on_another_page_of_its_site(
    browser: Browser, organization: Organization
) -> None:
    assert browser.begin(make_site(organization, allowed_origins=[ORIGIN, OTHER])).status == 200
    for answer in with_token(browser, origin=OTHER):
        assert_refused(answer)
    assert not Message.objects.exists()


def test_a_token_stays_on_its_page_where_everybody_is_let_in(
    browser: Browser, organization: Organization
) -> None:
    assert browser.begin(make_site(organization, allowed_origins=[])).status == 200
    for origin in (OTHER, "null", "capacitor://localhost"):
        for answer in with_token(browser, origin=origin):
            assert_refused(answer)


def test_the_same_origin_in_another_spelling_is_the_same_page(guest: Browser) -> None:
    origin = f"{ORIGIN}:443"
    answer = guest.post("/webchat/bootstrap", origin=origin)
    assert answer.status == 200
    assert_readable(answer, origin)


def test_without_origin_the_referer_speaks(guest: Browser) -> None:
    for answer in with_token(guest, origin=None, headers={"referer": f"{ORIGIN}/pricing?a=b"}):
        assert b"ORIGIN_NOT_ALLOWED" not in answer.body
        assert "access-control-allow-origin" not in answer.headers
    for answer in with_token(guest, origin=None, headers={"referer": f"{EVIL}/{ORIGIN}"}):
        assert_refused(answer)


def test_a_session_may_begin_by_its_referer(guest: Browser, site: Site) -> None:
    how = {"origin": None, "headers": {"referer": f"{ORIGIN}/pricing"}}
    for answer in with_key(guest, site, **how):
        assert answer.status == 200
    assert {session.origin for session in VisitorSession.objects.all()} == {ORIGIN}


def test_an_origin_outweighs_the_referer(guest: Browser, site: Site) -> None:
    for answer in with_key(guest, site, origin=EVIL, headers={"referer": ORIGIN}):
        assert_refused(answer)
    for answer in with_key(guest, site, origin="rubbish", headers={"referer": ORIGIN}):
        assert_refused(answer)


def test_with_neither_header_a_list_refuses(guest: Browser, site: Site) -> None:
    for answer in (*with_key(guest, site, origin=None), *with_token(guest, origin=None)):
        assert_refused(answer)


@pytest.mark.parametrize("rules", [[], ["*"]])
def test_an_open_site_takes_whatever_a_browser_says(
    browser: Browser, organization: Organization, rules: list[str]
) -> None:
    site = make_site(organization, allowed_origins=rules)
    for browser.origin in (None, "null", "capacitor://localhost", "rubbish"):
        assert [answer.status for answer in with_key(browser, site)] == [200, 200]
        assert browser.begin(site).status == 200
        assert browser.post("/webchat/messages", {"content": "x"}).status == 201


def test_an_open_site_takes_calls_from_the_api_s_own_origin(
    new_browser: NewBrowser, organization: Organization
) -> None:
    browser = new_browser()
    assert browser.begin(make_site(organization, allowed_origins=[])).status == 200
    # A same-origin GET carries no Origin and, under `no-referrer`, nothing else either.
    assert browser.get("/webchat/messages", origin=None).status == 200


def test_a_token_of_no_page_works_on_none(
    new_browser: NewBrowser, organization: Organization
) -> None:
    browser = new_browser()
    browser.origin = None
    assert browser.begin(make_site(organization, allowed_origins=[])).status == 200
    assert_refused(browser.post("/webchat/bootstrap", origin=ORIGIN))


@pytest.mark.parametrize("rules", [[], ["*"], [ORIGIN, "*"]])
def test_in_production_an_open_list_needs_agency_mode(
    browser: Browser, organization: Organization, settings: Settings, rules: list[str]
) -> None:
    careless = make_site(organization, allowed_origins=rules)
    agency = make_site(organization, allowed_origins=rules, agency_mode=True)
    assert browser.begin(careless).status == 200
    settings.PRODUCTION = True
    for answer in with_key(browser, careless):
        assert_refused(answer)
    for answer in with_token(browser):
        assert_refused(answer)
    assert [answer.status for answer in with_key(browser, agency)] == [200, 200]


def test_in_production_a_list_works(browser: Browser, site: Site, settings: Settings) -> None:
    settings.PRODUCTION = True
    assert [answer.status for answer in with_key(browser, site)] == [200, 200]


def test_a_call_that_names_no_site_is_readable_by_all(browser: Browser) -> None:
    for browser.token in (None, "", "rubbish"):
        for answer in with_token(browser, origin=EVIL):
            assert answer.status in {400, 401}
            assert_readable(answer, EVIL)


def test_an_unknown_key_is_readable_by_all(browser: Browser) -> None:
    answer = browser.get("/webchat/config", {"widget_key": f"wk_{'0' * 32}"}, origin=EVIL)
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert_readable(answer, EVIL)


def test_a_long_forged_origin_is_cut_and_breaks_nothing(
    browser: Browser, organization: Organization
) -> None:
    site = make_site(organization, allowed_origins=[])
    assert browser.begin(site, origin=None).status == 200
    browser.origin = f"https://{'a.' * 2000}example"
    assert browser.begin(site).status == 200
    assert browser.post("/webchat/messages", {"content": "x"}).status == 201


def test_a_refusal_is_logged_with_its_reason(guest: Browser, site: Site) -> None:
    with structlog.testing.capture_logs() as logs:
        guest.post("/webchat/bootstrap", origin=EVIL)
    assert logs == [
        {
            "event": "origin_refused",
            "log_level": "info",
            "site_id": site.pk,
            "origin": EVIL,
            "reason": "not_listed",
        }
    ]
