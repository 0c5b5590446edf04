from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.factories import ORIGIN, answer, make_agent, make_organization, make_site
from tests.webchat.api.widget.browser import Browser
from tests.webchat.api.widget.conftest import NewBrowser
from tests.webchat.forgery import payload_of
from webchat.models import Contact, Conversation, Organization, Site, Visitor, VisitorSession
from webchat.services.conversation import close

pytestmark = pytest.mark.django_db(transaction=True)

INIT = "/auth/widget/session"
REFRESH = "/auth/widget/session/refresh"


def test_the_guide_s_request_gets_the_guide_s_answer(browser: Browser, site: Site) -> None:
    before = datetime.now(UTC)
    answer = browser.post(
        "/api/v1/auth/widget/session",
        {
            "widget_key": site.widget_key,
            "visitor_id": "v-7c4a9b2e-3d8f-4a1b-9e2f-5d6c8b3a1f2e",
            "engagement_id": 0,
            "visitor_name": "Jane Doe",
            "visitor_email": "jane@acme.com",
            "metadata": {
                "page_url": "https://acme.com/pricing",
                "referrer": "https://google.com",
            },
        },
        headers={"user-agent": "Mozilla/5.0 (X11)"},
    )
    assert answer.status == 200
    body = answer.json
    assert set(body) == {
        "session_token",
        "expires_at",
        "organization_id",
        "engagement_id",
        "scopes",
    }
    assert body["organization_id"] == site.organization_id
    assert body["engagement_id"] == 0
    assert body["scopes"] == ["messages"]
    assert body["expires_at"].endswith("Z")
    lifetime = datetime.fromisoformat(body["expires_at"]) - before
    assert timedelta(hours=24) - timedelta(seconds=1) <= lifetime <= timedelta(hours=24, seconds=9)

    session = VisitorSession.objects.select_related("visitor__contact").get()
    assert payload_of(body["session_token"])["sid"] == str(session.sid)
    assert session.visitor.visitor_id == "v-7c4a9b2e-3d8f-4a1b-9e2f-5d6c8b3a1f2e"
    assert (session.origin, session.user_agent) == (ORIGIN, "Mozilla/5.0 (X11)")
    assert session.metadata["page_url"] == "https://acme.com/pricing"
    contact = session.visitor.contact
    assert (contact.name, contact.email, contact.verified) == ("Jane Doe", "jane@acme.com", False)


def test_the_least_request_is_enough(browser: Browser, site: Site) -> None:
    body = {"widget_key": site.widget_key, "visitor_id": str(uuid4())}
    assert browser.post("/v1/auth/widget/session", body).status == 200


def test_the_same_visitor_is_the_same_contact_and_conversation(
    browser: Browser, site: Site
) -> None:
    visitor_id = str(uuid4())
    browser.begin(site, visitor_id=visitor_id)
    engagement_id = browser.post("/webchat/messages", {"content": "x"}).json["engagement_id"]
    again = browser.begin(site, visitor_id=visitor_id)
    assert again.json["engagement_id"] == engagement_id
    assert Contact.objects.count() == 1
    assert VisitorSession.objects.count() == 2


def test_a_prefixed_visitor_id_is_another_visitor(browser: Browser, site: Site) -> None:
    visitor_id = str(uuid4())
    browser.begin(site, visitor_id=visitor_id)
    browser.begin(site, visitor_id=f"v-{visitor_id}")
    kept = Visitor.objects.values_list("visitor_id", flat=True)
    assert set(kept) == {visitor_id, f"v-{visitor_id}"}
    assert Contact.objects.count() == 2


def test_tabs_that_begin_together_are_one_visitor(browser: Browser, site: Site) -> None:
    body = {"widget_key": site.widget_key, "visitor_id": str(uuid4())}
    answers = browser.together(browser.fetch("POST", INIT, body) for _ in range(8))
    assert [answer.status for answer in answers] == [200] * 8
    assert Visitor.objects.count() == Contact.objects.count() == 1


def test_a_refused_request_leaves_nothing(browser: Browser, site: Site) -> None:
    for field, value in (("visitor_name", 7), ("visitor_id", 7), ("visitor_id", "me")):
        answer = browser.begin(site, **{field: value})
        assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")
        assert answer.details == {"field": field}
    assert not Contact.objects.exists()


def test_lengths_count_code_points(browser: Browser, site: Site) -> None:
    assert browser.begin(site, visitor_name="👋" * 200).status == 200
    assert Contact.objects.get().name == "👋" * 200


def test_an_unknown_key_is_not_found(browser: Browser) -> None:
    body = {"widget_key": f"wk_{'0' * 32}", "visitor_id": str(uuid4())}
    answer = browser.post(INIT, body)
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_a_visitor_id_belongs_to_one_organization(browser: Browser, site: Site) -> None:
    other = make_site(make_organization("Other"))
    visitor_id = str(uuid4())
    assert browser.begin(site, visitor_id=visitor_id).status == 200
    answer = browser.begin(other, visitor_id=visitor_id)
    assert (answer.status, answer.code) == (409, "VISITOR_ID_TAKEN")
    assert not VisitorSession.objects.filter(site=other).exists()


def test_a_visitor_id_serves_all_sites_of_its_organization(
    browser: Browser, organization: Organization, site: Site
) -> None:
    visitor_id = str(uuid4())
    assert browser.begin(site, visitor_id=visitor_id).status == 200
    assert browser.begin(make_site(organization), visitor_id=visitor_id).status == 200


def test_an_engagement_of_the_visitor_s_own_may_be_named(
    browser: Browser, organization: Organization, site: Site
) -> None:
    visitor_id = str(uuid4())
    browser.begin(site, visitor_id=visitor_id)
    engagement_id = browser.post("/webchat/messages", {"content": "x"}).json["engagement_id"]
    named = browser.begin(site, visitor_id=visitor_id, engagement_id=engagement_id)
    assert (named.status, named.json["engagement_id"]) == (200, engagement_id)
    close(agent=make_agent(organization), conversation_id=engagement_id, now=datetime.now(UTC))
    closed = browser.begin(site, visitor_id=visitor_id, engagement_id=engagement_id)
    assert (closed.status, closed.json["engagement_id"]) == (200, 0)


def test_a_foreign_engagement_is_as_forbidden_as_an_unknown_one(
    guest: Browser, new_browser: NewBrowser, organization: Organization, site: Site
) -> None:
    foreign = guest.post("/webchat/messages", {"content": "x"}).json["engagement_id"]
    contacts = Contact.objects.count()
    browser = new_browser()
    refusals = [
        browser.begin(where, engagement_id=engagement_id)
        for where in (site, make_site(organization), make_site(make_organization("Other")))
        for engagement_id in (foreign, 2**63 - 1)
    ]
    assert {refusal.body for refusal in refusals} == {refusals[0].body}
    assert (refusals[0].status, refusals[0].code) == (403, "ENGAGEMENT_FORBIDDEN")
    assert Contact.objects.count() == contacts


def test_a_refresh_gives_a_new_token_of_the_same_session(guest: Browser, site: Site) -> None:
    engagement_id = guest.post("/webchat/messages", {"content": "x"}).json["engagement_id"]
    for path in (f"/api/v1{REFRESH}", f"/v1{REFRESH}"):
        answer = guest.post(path, {"session_token": guest.token})
        assert answer.status == 200
        assert answer.json["engagement_id"] == engagement_id
        old, new = payload_of(guest.token or ""), payload_of(answer.json["session_token"])
        assert (old["sid"], old["sub"], old["origin"]) == (new["sid"], new["sub"], new["origin"])
        assert old["jti"] != new["jti"]
        guest.token = answer.json["session_token"]
    assert guest.post("/webchat/bootstrap").json["engagement_id"] == engagement_id
    assert VisitorSession.objects.count() == 1


def test_a_refresh_without_a_token_names_it(browser: Browser) -> None:
    answer = browser.post(REFRESH, {})
    assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")
    assert answer.details == {"field": "session_token"}


def test_a_verified_contact_keeps_its_name(browser: Browser, site: Site) -> None:
    visitor_id = str(uuid4())
    browser.begin(site, visitor_id=visitor_id, visitor_name="Jane")
    Contact.objects.update(verified=True)
    browser.begin(site, visitor_id=visitor_id, visitor_name="Mallory")
    assert Contact.objects.get().name == "Jane"


def test_agents_never_see_the_visitor_id(guest: Browser, organization: Organization) -> None:
    engagement_id = guest.post("/webchat/messages", {"content": "x"}).json["engagement_id"]
    visitor_id = Visitor.objects.get().visitor_id
    sent = answer(make_agent(organization), engagement_id)
    assert visitor_id not in sent.message.model_dump_json()
    assert visitor_id not in str(Conversation.objects.values().get())
