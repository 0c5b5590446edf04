from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import answer, make_site, open_visitor, say
from webchat.models import Site
from webchat.principal import Agent, VisitorAccess
from webchat.queries.visitor import get_bootstrap
from webchat.services.activity import agent_seen, visitor_seen
from webchat.services.conversation import claim, close

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_new_visitor_has_nothing(visitor: VisitorAccess) -> None:
    bootstrap = get_bootstrap(visitor)
    assert (bootstrap.conversation_id, bootstrap.agent) == (0, None)
    assert (bootstrap.messages, bootstrap.has_more) == ([], False)
    assert (bootstrap.unread_count, bootstrap.read_up_to) == (0, 0)


def test_an_open_conversation_is_shown(agent: Agent, visitor: VisitorAccess) -> None:
    sent = say(visitor)
    claim(agent=agent, conversation_id=sent.conversation_id, now=NOW)
    answer(agent, sent.conversation_id, is_public=False)
    reply = answer(agent, sent.conversation_id)
    bootstrap = get_bootstrap(visitor)
    assert bootstrap.conversation_id == sent.conversation_id
    assert [message.id for message in bootstrap.messages] == [sent.message_id, reply.message.id]
    assert bootstrap.agent is not None
    assert (bootstrap.agent.id, bootstrap.agent.name) == (agent.user_id, agent.name)
    assert bootstrap.unread_count == 1
    assert bootstrap.read_up_to == reply.message.id


def test_marks_of_both_sides_are_shown(agent: Agent, visitor: VisitorAccess) -> None:
    sent = say(visitor)
    for _ in range(3):
        answer(agent, sent.conversation_id)
    newest = say(visitor).message_id
    second = get_bootstrap(visitor).messages[2].id
    visitor_seen(visitor=visitor, engagement_id=sent.conversation_id, message_id=second, now=NOW)
    agent_seen(agent=agent, conversation_id=sent.conversation_id, read_up_to=newest, now=NOW)
    bootstrap = get_bootstrap(visitor)
    assert (bootstrap.unread_count, bootstrap.read_up_to) == (1, newest)


def test_a_closed_conversation_is_history(agent: Agent, visitor: VisitorAccess) -> None:
    sent = say(visitor)
    close(agent=agent, conversation_id=sent.conversation_id, now=NOW)
    bootstrap = get_bootstrap(visitor)
    assert (bootstrap.conversation_id, bootstrap.unread_count) == (0, 0)
    assert [message.id for message in bootstrap.messages] == [sent.message_id]


def test_the_newest_fifty_are_shown(visitor: VisitorAccess) -> None:
    ids = [say(visitor).message_id for _ in range(51)]
    bootstrap = get_bootstrap(visitor)
    assert [message.id for message in bootstrap.messages] == ids[1:]
    assert bootstrap.has_more


def test_other_sites_and_visitors_are_not_shown(site: Site, visitor: VisitorAccess) -> None:
    say(open_visitor(site))
    say(open_visitor(make_site(site.organization), visitor_id=visitor.visitor_id))
    assert get_bootstrap(visitor).messages == []


def test_costs_do_not_grow_with_the_rows(agent: Agent, visitor: VisitorAccess) -> None:
    costs = []
    for size in (1, 2):
        for _ in range(size):
            answer(agent, say(visitor).conversation_id)
        with CaptureQueriesContext(connection) as captured:
            get_bootstrap(visitor)
        costs.append(len(captured))
    assert costs == [3, 3]
