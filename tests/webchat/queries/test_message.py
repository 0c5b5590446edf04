from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from project.errors import NotFound
from tests.factories import answer, make_agent, make_organization, make_site, open_visitor, say
from webchat.models import Site
from webchat.principal import Agent, VisitorAccess
from webchat.queries.message import get_history, list_for_agent, list_for_visitor
from webchat.services.conversation import close

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def visitor(site: Site) -> VisitorAccess:
    return open_visitor(site, name="Vera")


@pytest.fixture
def message_ids(agent: Agent, visitor: VisitorAccess) -> list[int]:
    """Of one conversation: the visitor's, a note, an answer, and the visitor's again."""
    first = say(visitor, now=NOW)
    note = answer(agent, first.conversation_id, is_public=False, now=NOW)
    reply = answer(agent, first.conversation_id, now=NOW)
    return [first.message_id, note.message.id, reply.message.id, say(visitor, now=NOW).message_id]


@pytest.fixture
def conversation_id(visitor: VisitorAccess, message_ids: list[int]) -> int:
    return say(visitor, client_message_id="last", now=NOW).conversation_id


def test_agents_see_messages_and_notes_oldest_first(
    agent: Agent, conversation_id: int, message_ids: list[int]
) -> None:
    history = list_for_agent(agent, conversation_id)
    assert [message.id for message in history.messages][:4] == message_ids
    assert [message.is_public for message in history.messages] == [True, False, True, True, True]
    assert not history.has_more


def test_messages_are_what_their_events_said(
    agent: Agent, visitor: VisitorAccess, conversation_id: int
) -> None:
    sent = answer(agent, conversation_id, "Yes.", client_message_id="a1", now=NOW)
    said = say(visitor, "Fine.", client_message_id="m1", metadata={"a": [1, None]}, now=NOW)
    *_, reply, last = list_for_agent(agent, conversation_id).messages
    assert reply == sent.message
    assert last.model_dump(mode="json") == {
        "id": said.message_id,
        "content": "Fine.",
        "message_type": "TEXT",
        "sender_type": "CONTACT",
        "sender_user_id": None,
        "sender_name": "Vera",
        "direction": "INBOUND",
        "created_at": "2026-03-01T12:00:00Z",
        "is_public": True,
        "parent_message_id": None,
        "client_message_id": "m1",
        "attachments": [],
        "reactions": [],
        "metadata": {"a": [1, None]},
    }


def test_visitors_never_see_a_note(
    visitor: VisitorAccess, conversation_id: int, message_ids: list[int]
) -> None:
    history = list_for_visitor(visitor)
    shown = [message.id for message in history.messages]
    assert shown[:3] == [message_ids[0], message_ids[2], message_ids[3]]
    assert all(message.is_public for message in history.messages)


def test_visitors_see_all_their_conversations_of_the_site(
    agent: Agent, site: Site, visitor: VisitorAccess, message_ids: list[int]
) -> None:
    close(agent=agent, conversation_id=say(visitor).conversation_id, now=NOW)
    newest = say(visitor)
    elsewhere = make_site(site.organization)
    say(open_visitor(elsewhere, visitor_id=visitor.visitor_id), "On another site")
    say(open_visitor(site), "Of another visitor")
    shown = list_for_visitor(visitor).messages
    assert len(shown) == 5
    assert shown[-1].id == newest.message_id
    assert {message.content for message in shown} == {"Hello", "Good day"}


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_pages_go_back_through_the_whole_history(
    limit: int, agent: Agent, conversation_id: int
) -> None:
    whole = [message.id for message in list_for_agent(agent, conversation_id).messages]
    found: list[int] = []
    before, has_more = None, True
    while has_more:
        history = list_for_agent(agent, conversation_id, before=before, limit=limit)
        found = [message.id for message in history.messages] + found
        before, has_more = found[0], history.has_more
    assert found == whole


def test_a_mark_above_and_below_everything(visitor: VisitorAccess, conversation_id: int) -> None:
    assert len(list_for_visitor(visitor, before=10**15).messages) == 4
    empty = list_for_visitor(visitor, before=0)
    assert (empty.messages, empty.has_more) == ([], False)


def test_history_of_what_the_agent_may_not_see_is_not_found(conversation_id: int) -> None:
    stranger = make_agent(make_organization("Other"))
    with pytest.raises(NotFound):
        list_for_agent(stranger, conversation_id)
    with pytest.raises(NotFound):
        get_history(stranger, conversation_id)


def test_history_knows_its_place_in_the_stream(agent: Agent, conversation_id: int) -> None:
    assert get_history(agent, conversation_id).position.seq == 6


def test_costs_do_not_grow_with_the_rows(agent: Agent, site: Site) -> None:
    costs = []
    for size in (1, 3):
        visitor = open_visitor(site, name="Vera")
        conversation_id = say(visitor, now=NOW).conversation_id
        for _ in range(size):
            answer(make_agent(site.organization), conversation_id)
        with CaptureQueriesContext(connection) as by_agent:
            list_for_agent(agent, conversation_id)
        with CaptureQueriesContext(connection) as by_visitor:
            list_for_visitor(visitor)
        costs.append((len(by_agent), len(by_visitor)))
    assert costs == [(2, 1), (2, 1)]
