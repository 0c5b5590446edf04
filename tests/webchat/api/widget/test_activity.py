import json

import pytest

from tests.conftest import Published
from tests.factories import answer, make_agent
from tests.webchat.api.widget.browser import Browser
from tests.webchat.api.widget.conftest import NewBrowser
from webchat.models import Conversation, Organization, Site

pytestmark = pytest.mark.django_db(transaction=True)

TYPING = "/webchat/typing"
SEEN = "/webchat/seen"


@pytest.fixture
def engagement_id(guest: Browser) -> int:
    sent = guest.post("/webchat/messages", {"content": "Hello"}).json
    return int(sent["engagement_id"])


def test_typing_is_told_to_the_agents(
    guest: Browser, engagement_id: int, published: Published
) -> None:
    for state, type in (("start", "typing.started"), ("stop", "typing.stopped")):
        told = guest.post(TYPING, {"engagement_id": engagement_id, "state": state})
        assert (told.status, told.body) == (204, b"")
        assert "content-length" not in told.headers
        (event,) = published.take()
        assert (event.type, event.conversation_id) == (type, engagement_id)
        assert event.visitor_payload is None


def test_typing_before_the_first_message_tells_nobody(guest: Browser, published: Published) -> None:
    for body in ({"state": "start"}, {"state": "stop", "engagement_id": 0}):
        assert guest.post(TYPING, body).status == 204
    assert published.take() == []


def test_seen_moves_the_visitor_s_mark(
    guest: Browser, engagement_id: int, organization: Organization, published: Published
) -> None:
    reply = answer(make_agent(organization), engagement_id).message
    published.take()
    assert guest.post("/webchat/bootstrap").json["unread_count"] == 1
    seen = guest.post(SEEN, {"engagement_id": engagement_id, "message_id": reply.id})
    assert (seen.status, seen.body) == (204, b"")
    assert Conversation.objects.get().visitor_read_up_to == reply.id
    assert guest.post("/webchat/bootstrap").json["unread_count"] == 0
    (event,) = published.take()
    assert event.type == "seen.updated"
    assert json.loads(event.agent_payload or "")["read_up_to"] == reply.id


def test_a_mark_never_moves_back_nor_beyond_the_newest(
    guest: Browser, engagement_id: int, organization: Organization
) -> None:
    agent = make_agent(organization)
    first, second = (answer(agent, engagement_id).message.id for _ in range(2))
    for message_id in (2**63 - 1, first):
        body = {"engagement_id": engagement_id, "message_id": message_id}
        assert guest.post(SEEN, body).status == 204
        assert Conversation.objects.get().visitor_read_up_to == second


def test_a_foreign_engagement_is_as_forbidden_as_an_unknown_one(
    guest: Browser, new_browser: NewBrowser, site: Site, published: Published
) -> None:
    other = new_browser()
    other.begin(site)
    foreign = other.post("/webchat/messages", {"content": "x"}).json["engagement_id"]
    published.take()
    refusals = [
        *(guest.post(TYPING, {"engagement_id": one, "state": "start"}) for one in (foreign, 9**9)),
        *(guest.post(SEEN, {"engagement_id": one, "message_id": 1}) for one in (foreign, 9**9, 0)),
    ]
    assert {one.body for one in refusals} == {refusals[0].body}
    assert (refusals[0].status, refusals[0].code) == (403, "ENGAGEMENT_FORBIDDEN")
    assert published.take() == []
