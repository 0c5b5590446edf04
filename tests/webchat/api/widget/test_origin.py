"""Which pages are let in, on every call, and what their browsers may read."""

from collections.abc import Callable
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

CALLS: dict[str, Callable[[Browser, dict[str, Any]], Answer]] = {
    "bootstrap": lambda browser, how: browser.post("/webchat/bootstrap", **how),
    "history": lambda browser, how: browser.get("/webchat/messages", **how),
    "send": lambda browser, how: browser.post("/webchat/messages", {"content": "x"}, **how),
    "typing": lambda browser, how: browser.post("/webchat/typing", {"state": "start"}, **how),
    "seen": lambda browser, how: browser.post(
        "/webchat/seen", {"engagement_id": 1, "message_id": 1}, **how
    ),
    "refresh": lambda browser, how: browser.post(
        "/auth/widget/session/refresh", {"session_token": browser.token}, **how
    ),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def keyed(browser: Browser, site: Site, **how: Any) -> list[Answer]:
    """The two calls that name their site by its key."""
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


@every_call
def test_every_call_of_an_allowed_page_is_readable(
    guest: Browser, call: Callable[..., Answer]
) -> None:
    answer = call(guest, {})
    assert answer.status in {200, 201, 204, 403}
    assert_readable(answer)


def test_config_and_session_are_for_listed_pages(
    browser: Browser, organization: Organization
) -> None:
    site = make_site(organization, allowed_origins=["https://acme.com", "*.acme.com"])
    for origin in ("https://acme.com", "https://shop.acme.com"):
        for answer in keyed(browser, site, origin=origin):
            assert answer.status == 200
            assert_readable(answer, origin)
    for origin in ("http://acme.com", "https://evilacme.com", "https://acme.com.evil.com", "null"):
        for answer in keyed(browser, site, origin=origin):
            assert_refused(answer)
    assert VisitorSession.objects.count() == 2


@every_call
def test_a_page_that_is_not_listed_is_refused_with_a_token_too(
    guest: Browser, call: Callable[..., Answer]
) -> None:
    assert_refused(call(guest, {"origin": EVIL}))
    assert not Message.objects.exists()


@every_call
def test_a_token_does_not_work_on_another_page_of_its_site(
    new_browser: NewBrowser, organization: Organization, call: Callable[..., Answer]
) -> None:
    site = make_site(organization, allowed_origins=[ORIGIN, OTHER])
    browser = new_browser()
    assert browser.begin(site).status == 200
    assert_refused(call(browser, {"origin": OTHER}))
    assert not Message.objects.exists()


@every_call
@pytest.mark.parametrize("origin", [OTHER, "null", "capacitor://localhost"])
def test_a_token_stays_on_its_page_where_everybody_is_let_in(
    new_browser: NewBrowser, organization: Organization, call: Callable[..., Answer], origin: str
) -> None:
    browser = new_browser()
    assert browser.begin(make_site(organization, allowed_origins=[])).status == 200
    assert_refused(call(browser, {"origin": origin}))


def test_the_same_origin_in_another_spelling_is_the_same_page(guest: Browser) -> None:
    origin = f"{ORIGIN}:443"
    answer = guest.post("/webchat/bootstrap", origin=origin)
    assert answer.status == 200
    assert_readable(answer, origin)


@every_call
def test_without_origin_the_referer_speaks(guest: Browser, call: Callable[..., Answer]) -> None:
    answer = call(guest, {"origin": None, "headers": {"referer": f"{ORIGIN}/pricing?a=b"}})
    assert b"ORIGIN_NOT_ALLOWED" not in answer.body
    assert "access-control-allow-origin" not in answer.headers
    assert_refused(call(guest, {"origin": None, "headers": {"referer": f"{EVIL}/{ORIGIN}"}}))


def test_a_session_may_begin_by_its_referer(guest: Browser, site: Site) -> None:
    how = {"origin": None, "headers": {"referer": f"{ORIGIN}/pricing"}}
    for answer in keyed(guest, site, **how):
        assert answer.status == 200
    assert {session.origin for session in VisitorSession.objects.all()} == {ORIGIN}


def test_an_origin_outweighs_the_referer(guest: Browser, site: Site) -> None:
    for answer in keyed(guest, site, origin=EVIL, headers={"referer": ORIGIN}):
        assert_refused(answer)
    for answer in keyed(guest, site, origin="rubbish", headers={"referer": ORIGIN}):
        assert_refused(answer)


@every_call
def test_with_neither_header_a_list_refuses(guest: Browser, call: Callable[..., Answer]) -> None:
    assert_refused(call(guest, {"origin": None}))


@pytest.mark.parametrize("rules", [[], ["*"]])
@pytest.mark.parametrize("origin", [None, "null", "capacitor://localhost", "rubbish"])
def test_an_open_site_takes_whatever_a_browser_says(
    browser: Browser, organization: Organization, rules: list[str], origin: str | None
) -> None:
    site = make_site(organization, allowed_origins=rules)
    browser.origin = origin
    for answer in keyed(browser, site):
        assert answer.status == 200
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
    for answer in keyed(browser, careless):
        assert_refused(answer)
    for call in CALLS.values():
        assert_refused(call(browser, {}))
    assert [answer.status for answer in keyed(browser, agency)] == [200, 200]


def test_in_production_a_list_works(browser: Browser, site: Site, settings: Settings) -> None:
    settings.PRODUCTION = True
    assert [answer.status for answer in keyed(browser, site)] == [200, 200]


@pytest.mark.parametrize("token", [None, "", "rubbish"])
@every_call
def test_a_call_that_names_no_site_is_readable_by_all(
    browser: Browser, call: Callable[..., Answer], token: str | None
) -> None:
    browser.token = token
    answer = call(browser, {"origin": EVIL})
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
