import asyncio
from datetime import UTC, datetime
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest

from project import database
from tests.conftest import Published
from tests.factories import answer, make_agent, make_organization, make_site, say
from tests.webchat.api.widget.browser import Answer, Browser
from tests.webchat.api.widget.conftest import NewBrowser
from tests.webchat.api.widget.transport import Transport, install
from webchat.api.widget import message
from webchat.models import Conversation, Message, Organization, Site, VisitorSession
from webchat.services.conversation import close
from webchat.services.message.visitor import Sent, send_visitor_message

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGES = "/webchat/messages"


def send(browser: Browser, content: str = "Hello", **fields: Any) -> Answer:
    return browser.post(MESSAGES, {"content": content, **fields})


def contents(answers: Answer) -> list[str]:
    return [message["content"] for message in answers.json["messages"]]


def test_a_sent_message_is_stored_and_answered(guest: Browser) -> None:
    sent = send(guest, client_message_id="cm-1", metadata={"plan": "pro"})
    assert sent.status == 201
    message = Message.objects.get()
    assert sent.json == {
        "message_id": message.pk,
        "engagement_id": message.conversation_id,
        "created_at": message.created_at.isoformat().replace("+00:00", "Z"),
        "deduped": False,
    }
    assert (message.content, message.metadata) == ("Hello", {"plan": "pro"})


def test_the_guide_s_request_is_taken(guest: Browser) -> None:
    sent = guest.post(
        "/v1/webchat/messages",
        {
            "engagement_id": 0,
            "content": "Do you offer enterprise pricing?",
            "message_type": "TEXT",
            "client_message_id": "cm-9f3e8a1b",
            "parent_message_id": None,
            "metadata": {},
        },
    )
    assert sent.status == 201


def test_a_repetition_gets_the_first_answer(guest: Browser) -> None:
    first = send(guest, client_message_id="cm-1").json
    for content in ("Hello", "another text"):
        again = send(guest, content, client_message_id="cm-1")
        assert again.status == 201
        assert again.json == first | {"deduped": True}
    assert Message.objects.count() == 1


def test_repetitions_at_the_same_moment_store_one_message(guest: Browser) -> None:
    body = {"content": "Hello", "client_message_id": "cm-1"}
    answers = guest.together(guest.fetch("POST", MESSAGES, body) for _ in range(10))
    assert [one.status for one in answers] == [201] * 10
    assert sorted(one.json["deduped"] for one in answers) == [False] + [True] * 9
    assert len({one.json["message_id"] for one in answers}) == 1
    assert Message.objects.count() == 1


def test_first_messages_at_the_same_moment_join_one_conversation(guest: Browser) -> None:
    bodies = [{"content": f"m{number}", "client_message_id": str(number)} for number in range(10)]
    answers = guest.together(guest.fetch("POST", MESSAGES, body) for body in bodies)
    assert [one.status for one in answers] == [201] * 10
    assert len({one.json["engagement_id"] for one in answers}) == 1
    assert (Conversation.objects.count(), Message.objects.count()) == (1, 10)


def test_client_message_ids_of_two_visitors_do_not_meet(
    guest: Browser, new_browser: NewBrowser, site: Site
) -> None:
    other = new_browser()
    other.begin(site)
    first, second = (send(one, client_message_id="same") for one in (guest, other))
    assert (first.json["deduped"], second.json["deduped"]) == (False, False)
    assert first.json["engagement_id"] != second.json["engagement_id"]


def test_a_message_needs_text(guest: Browser) -> None:
    for content in ("", " ", "\n\t\u00a0\u2003"):
        sent = send(guest, content)
        assert (sent.status, sent.code) == (400, "EMPTY_CONTENT")


def test_lengths_count_code_points(guest: Browser) -> None:
    assert send(guest, "👋" * 10_000).status == 201
    sent = send(guest, "x" * 10_001)
    assert (sent.status, sent.code) == (400, "CONTENT_TOO_LONG")
    assert sent.details == {"limit": 10_000, "length": 10_001}
    assert Message.objects.count() == 1


def test_a_foreign_engagement_is_as_forbidden_as_an_unknown_one(
    guest: Browser, new_browser: NewBrowser, organization: Organization
) -> None:
    own = send(guest).json["engagement_id"]
    foreign = []
    for site in (make_site(organization), make_site(make_organization("Other"))):
        other = new_browser()
        other.begin(site)
        foreign.append(send(other).json["engagement_id"])
    refusals = [send(guest, engagement_id=one) for one in (*foreign, 2**63 - 1)]
    assert {one.body for one in refusals} == {refusals[0].body}
    assert (refusals[0].status, refusals[0].code) == (403, "ENGAGEMENT_FORBIDDEN")
    assert Message.objects.filter(conversation_id=own).count() == 1
    assert Message.objects.count() == 3


def test_the_visitor_s_engagement_on_another_site_is_foreign(
    browser: Browser, organization: Organization, site: Site
) -> None:
    visitor_id = str(uuid4())
    browser.begin(site, visitor_id=visitor_id)
    engagement_id = send(browser).json["engagement_id"]
    browser.begin(make_site(organization), visitor_id=visitor_id)
    assert send(browser, engagement_id=engagement_id).code == "ENGAGEMENT_FORBIDDEN"


def test_a_message_to_a_closed_engagement_opens_a_new_one(
    guest: Browser, organization: Organization
) -> None:
    closed = send(guest).json["engagement_id"]
    close(agent=make_agent(organization), conversation_id=closed, now=datetime.now(UTC))
    reopened = send(guest, engagement_id=closed)
    assert reopened.status == 201
    assert reopened.json["engagement_id"] != closed


def test_a_reply_names_a_message_that_the_visitor_can_see(
    guest: Browser, new_browser: NewBrowser, site: Site, organization: Organization
) -> None:
    first = send(guest).json
    note = answer(make_agent(organization), first["engagement_id"], is_public=False).message
    other = new_browser()
    other.begin(site)
    foreign = send(other).json["message_id"]
    assert send(guest, parent_message_id=first["message_id"]).status == 201
    refusals = [send(guest, parent_message_id=one) for one in (note.id, foreign, 2**63 - 1)]
    assert {one.body for one in refusals} == {refusals[0].body}
    assert (refusals[0].status, refusals[0].code) == (404, "NOT_FOUND")


def test_history_goes_back_page_by_page(guest: Browser) -> None:
    visitor = guest.visitor
    ids = [say(visitor, f"m{number}").message_id for number in range(5)]
    newest = guest.get(MESSAGES, {"limit": 2})
    assert (contents(newest), newest.json["has_more"]) == (["m3", "m4"], True)
    middle = guest.get(MESSAGES, {"limit": 2, "before": ids[3]})
    assert (contents(middle), middle.json["has_more"]) == (["m1", "m2"], True)
    oldest = guest.get(MESSAGES, {"limit": 2, "before": ids[1]})
    assert (contents(oldest), oldest.json["has_more"]) == (["m0"], False)
    assert set(oldest.json) == {"messages", "has_more"}


def test_a_page_has_fifty_messages_unless_asked_and_a_hundred_at_most(guest: Browser) -> None:
    visitor = guest.visitor
    for number in range(101):
        say(visitor, f"m{number}")
    sizes = {
        limit: len(contents(guest.get(MESSAGES, {"limit": limit} if limit else {})))
        for limit in ("", "0", "-7", "1", "50", "100", "101", "100000")
    }
    assert sizes == {
        "": 50,
        "0": 1,
        "-7": 1,
        "1": 1,
        "50": 50,
        "100": 100,
        "101": 100,
        "100000": 100,
    }


def test_a_wrong_page_is_an_invalid_argument(guest: Browser) -> None:
    refused = guest.get(MESSAGES, {"before": "x"})
    assert (refused.status, refused.code) == (400, "INVALID_ARGUMENT")
    assert refused.details == {"field": "before"}


def test_history_never_shows_notes_or_other_people_s_messages(
    guest: Browser, new_browser: NewBrowser, site: Site, organization: Organization
) -> None:
    agent = make_agent(organization)
    engagement_id = send(guest, "mine").json["engagement_id"]
    answer(agent, engagement_id, "a note", is_public=False)
    answer(agent, engagement_id, "for me")
    for where in (site, make_site(organization), make_site(make_organization("Other"))):
        other = new_browser()
        other.begin(where)
        send(other, "not mine")
    assert contents(guest.get(MESSAGES)) == ["mine", "for me"]


def test_history_spans_the_visitor_s_conversations(
    guest: Browser, organization: Organization
) -> None:
    first = send(guest, "before").json["engagement_id"]
    close(agent=make_agent(organization), conversation_id=first, now=datetime.now(UTC))
    send(guest, "after")
    assert contents(guest.get(MESSAGES)) == ["before", "after"]


def test_what_was_sent_is_published_once(guest: Browser, published: Published) -> None:
    send(guest, client_message_id="c1")
    assert published.types() == ["conversation.started", "message.created"]
    send(guest, client_message_id="c1")
    assert published.types() == []


def test_the_sender_s_publication_is_released_after_the_answer(
    guest: Browser, monkeypatch: pytest.MonkeyPatch, published: Published
) -> None:
    class Watching(Transport):
        def release(self, contact_id: int, event_id: UUID) -> None:
            assert [message["type"] for message in guest.written] == [
                "http.response.start",
                "http.response.body",
            ]
            super().release(contact_id, event_id)

    transport = install(monkeypatch, Watching())
    send(guest, client_message_id="c1")
    (created,) = [event for event in published.take() if event.type == "message.created"]
    contact_id = VisitorSession.objects.get().visitor.contact_id
    assert transport.released == [(contact_id, created.event_id)]
    send(guest, client_message_id="c1")
    assert len(transport.released) == 1


def test_what_is_being_saved_is_saved_and_published_whoever_leaves(
    guest: Browser, monkeypatch: pytest.MonkeyPatch, published: Published
) -> None:
    started, left = Event(), Event()

    def slowly(**draft: Any) -> Sent:
        started.set()
        assert left.wait(10)
        return send_visitor_message(**draft)

    async def leave_while_it_is_saved() -> None:
        call = asyncio.create_task(guest.fetch("POST", MESSAGES, {"content": "x"}))
        await asyncio.to_thread(started.wait, 10)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        left.set()
        await asyncio.to_thread(database.close)  # ends when its threads have finished

    monkeypatch.setattr(message, "send_visitor_message", slowly)
    guest.runner.run(leave_while_it_is_saved())
    assert Message.objects.get().content == "x"
    assert published.types() == ["conversation.started", "message.created"]
