from typing import Any

import pytest
from django.utils import timezone

from realtime.models import AgentPresence
from tests.factories import make_agent, make_organization, make_site
from tests.webchat.api.widget.browser import Answer, Browser
from webchat.models import (
    Availability,
    Contact,
    Membership,
    Organization,
    Role,
    Site,
    User,
    Visitor,
    VisitorSession,
)
from webchat.principal import Agent

pytestmark = pytest.mark.django_db(transaction=True)


def get_config(browser: Browser, site: Site, **how: Any) -> Answer:
    return browser.get("/webchat/config", {"widget_key": site.widget_key}, **how)


def connect(agent: Agent) -> None:
    AgentPresence.objects.create(
        organization_id=agent.organization_id, agent_id=agent.user_id, seen_at=timezone.now()
    )


def test_config_says_how_the_launcher_looks(browser: Browser, organization: Organization) -> None:
    site = make_site(organization, name="Shop", locale="sw", appearance={"colour": "#0a7"})
    assert get_config(browser, site).json == {
        "name": "Shop",
        "locale": "sw",
        "appearance": {"colour": "#0a7"},
        "availability": {"online": False},
        "init_challenge": "optional",
    }


def test_a_page_view_leaves_no_row(browser: Browser, site: Site) -> None:
    assert get_config(browser, site).status == 200
    for model in (Contact, Visitor, VisitorSession):
        assert not model.objects.exists()


def test_config_is_kept_for_a_minute_and_then_compared(browser: Browser, site: Site) -> None:
    first = get_config(browser, site)
    assert first.headers["cache-control"] == "max-age=60"
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = get_config(browser, site, headers={"if-none-match": known})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == "max-age=60"
        assert again.headers["access-control-allow-origin"] == browser.origin
        assert "content-length" not in again.headers
    changed = get_config(browser, site, headers={"if-none-match": '"other"'})
    assert (changed.status, changed.body) == (200, first.body)


def test_a_refusal_is_not_kept(browser: Browser, site: Site) -> None:
    answer = get_config(browser, site, origin="https://evil.example")
    assert answer.headers["cache-control"] == "no-store"


def test_the_tag_names_the_content(browser: Browser, organization: Organization) -> None:
    red, blue = (make_site(organization, appearance={"colour": colour}) for colour in "rb")
    assert get_config(browser, red).headers["etag"] != get_config(browser, blue).headers["etag"]


def test_a_head_request_gets_the_headers(browser: Browser, site: Site) -> None:
    query = f"widget_key={site.widget_key}"
    answer = browser.call("HEAD", "/webchat/config", query=query)
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) == len(get_config(browser, site).body)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"widget_key": ""},
        {"widget_key": "rubbish"},
        {"widget_key": f"wk_{'0' * 31}"},
        {"widget_key": f"wk_{'0' * 33}"},
        {"widget_key": f"wk_{'A' * 32}"},
        {"widget_key": f"wk_{'0' * 32}\n"},
        {"widget_key": f"wk_{'0' * 31}\0"},
    ],
)
def test_a_malformed_key_is_an_invalid_argument(browser: Browser, query: dict[str, str]) -> None:
    answer = browser.get("/webchat/config", query)
    assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")
    assert answer.details == {"field": "widget_key"}


def test_an_unknown_key_is_not_found(browser: Browser) -> None:
    answer = browser.get("/webchat/config", {"widget_key": f"wk_{'0' * 32}"})
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_a_site_is_online_while_an_available_agent_is_there(
    browser: Browser, organization: Organization, site: Site
) -> None:
    """Each row says why the agent before it does not count."""
    absent = make_agent(organization)
    assert not is_online(browser, site)
    Membership.objects.filter(pk=absent.membership_id).update(availability=Availability.AVAILABLE)
    connect(absent)
    assert is_online(browser, site)
    for availability in (Availability.BUSY, Availability.AWAY):
        Membership.objects.filter(pk=absent.membership_id).update(availability=availability)
        assert not is_online(browser, site)


def test_a_member_who_has_left_does_not_count(
    browser: Browser, organization: Organization, site: Site
) -> None:
    revoked, inactive = make_agent(organization), make_agent(organization)
    for agent in (revoked, inactive):
        connect(agent)
    Membership.objects.filter(pk=revoked.membership_id).update(revoked_at=timezone.now())
    User.objects.filter(pk=inactive.user_id).update(is_active=False)
    assert not is_online(browser, site)


def test_who_works_for_another_organization_just_now_does_not_count(
    browser: Browser, organization: Organization, site: Site
) -> None:
    agent = make_agent(make_organization("Other"))
    Membership.objects.create(organization=organization, user_id=agent.user_id)
    connect(agent)
    assert not is_online(browser, site)


def test_a_restricted_site_counts_those_who_see_it(
    browser: Browser, organization: Organization
) -> None:
    site = make_site(organization, is_restricted=True)
    connect(make_agent(organization))
    assert not is_online(browser, site)
    connect(make_agent(organization, sites=[site]))
    assert is_online(browser, site)
    other = make_site(organization, is_restricted=True)
    assert not is_online(browser, other)
    connect(make_agent(organization, role=Role.ADMIN))
    assert is_online(browser, other)


def is_online(browser: Browser, site: Site) -> bool:
    """As a process that remembers nothing sees it."""
    browser.app = type(browser.app)()
    online: bool = get_config(browser, site).json["availability"]["online"]
    return online
