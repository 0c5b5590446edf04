from datetime import UTC, datetime

import pytest

from project.errors import NotFound
from realtime.events import Audience
from realtime.models import StoredEvent
from tests.conftest import Published
from tests.events import data_of, place_of, visitor_data_of
from tests.factories import answer, make_agent, make_organization, make_site, open_visitor, say
from webchat.models import Availability, Conversation, Membership, Site
from webchat.principal import Agent, VisitorAccess
from webchat.services.activity import (
    agent_seen,
    agent_typing,
    agent_viewing,
    set_availability,
    visitor_seen,
    visitor_typing,
)
from webchat.services.errors import EngagementForbidden

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def visitor(site: Site) -> VisitorAccess:
    return open_visitor(site, name="Vera")


@pytest.fixture
def conversation_id(visitor: VisitorAccess, published: Published) -> int:
    conversation_id = say(visitor, now=NOW).conversation_id
    published.take()
    return conversation_id


@pytest.fixture
def stranger() -> Agent:
    return make_agent(make_organization("Other"))


class TestTyping:
    @pytest.mark.parametrize("typing", [True, False])
    def test_of_an_agent_reaches_readers_and_the_visitor(
        self,
        typing: bool,
        agent: Agent,
        visitor: VisitorAccess,
        conversation_id: int,
        published: Published,
    ) -> None:
        agent_typing(agent=agent, conversation_id=conversation_id, typing=typing, now=NOW)
        [event] = published.take()
        name = "typing.started" if typing else "typing.stopped"
        assert (event.type, event.visitor_type) == (name, name)
        assert event.audience == Audience.CONVERSATION
        assert place_of(event) == {
            "organization_id": agent.organization_id,
            "site_id": visitor.site_id,
            "conversation_id": conversation_id,
            "contact_id": visitor.contact_id,
        }
        assert data_of(event) == {
            "sender_type": "USER",
            "sender_id": agent.user_id,
            "sender_name": agent.name,
            "is_note": False,
        }
        assert visitor_data_of(event) == {
            "engagement_id": conversation_id,
            "sender_type": "USER",
            "sender_id": agent.user_id,
            "sender_name": agent.name,
        }
        assert event.channels == (f"visitor:{visitor.visitor_id}",)

    def test_of_a_note_is_nothing_to_the_visitor(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        agent_typing(
            agent=agent, conversation_id=conversation_id, typing=True, is_note=True, now=NOW
        )
        [event] = published.take()
        assert data_of(event)["is_note"] is True
        assert (event.visitor_type, event.visitor_payload, event.channels) == (None, None, ())

    def test_of_the_visitor_reaches_agents_only(
        self, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        visitor_typing(visitor=visitor, engagement_id=conversation_id, typing=True, now=NOW)
        [event] = published.take()
        assert event.type == "typing.started"
        assert event.audience == Audience.CONVERSATION
        assert data_of(event) == {
            "sender_type": "CONTACT",
            "sender_id": visitor.contact_id,
            "sender_name": "Vera",
            "is_note": False,
        }
        assert event.visitor_payload is None

    def test_before_there_is_a_conversation_is_nothing(
        self, visitor: VisitorAccess, published: Published
    ) -> None:
        visitor_typing(visitor=visitor, engagement_id=0, typing=True, now=NOW)
        assert published.take() == []

    def test_of_two_typists_are_two_topics(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        for typing in (True, False):
            agent_typing(agent=agent, conversation_id=conversation_id, typing=typing, now=NOW)
            visitor_typing(visitor=visitor, engagement_id=conversation_id, typing=typing, now=NOW)
        topics = [event.topic for event in published.take()]
        assert topics[0] == topics[2]
        assert topics[1] == topics[3]
        assert topics[0] != topics[1]

    def test_elsewhere_is_refused(
        self,
        site: Site,
        stranger: Agent,
        conversation_id: int,
        published: Published,
    ) -> None:
        neighbour = open_visitor(site)
        with pytest.raises(NotFound):
            agent_typing(agent=stranger, conversation_id=conversation_id, typing=True, now=NOW)
        with pytest.raises(EngagementForbidden):
            visitor_typing(visitor=neighbour, engagement_id=conversation_id, typing=True, now=NOW)
        assert published.take() == []


class TestViewing:
    @pytest.mark.parametrize("viewing", [True, False])
    def test_reaches_readers_only(
        self, viewing: bool, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        agent_viewing(agent=agent, conversation_id=conversation_id, viewing=viewing, now=NOW)
        [event] = published.take()
        assert (event.type, event.audience) == ("viewing.changed", Audience.CONVERSATION)
        assert data_of(event) == {
            "agent_id": agent.user_id,
            "agent_name": agent.name,
            "viewing": viewing,
        }
        assert event.visitor_payload is None

    def test_elsewhere_is_not_found(
        self, stranger: Agent, conversation_id: int, published: Published
    ) -> None:
        with pytest.raises(NotFound):
            agent_viewing(agent=stranger, conversation_id=conversation_id, viewing=True, now=NOW)
        assert published.take() == []


class TestAgentSeen:
    def test_moves_the_mark_and_the_count(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        second, third = say(visitor), say(visitor)
        published.take()
        agent_seen(
            agent=agent, conversation_id=conversation_id, read_up_to=second.message_id, now=NOW
        )
        [event] = published.take()
        assert event.type == "seen.updated"
        assert data_of(event) == {
            "by": "agent",
            "agent_id": agent.user_id,
            "read_up_to": second.message_id,
            "marks": {
                "agents_read_up_to": second.message_id,
                "visitor_read_up_to": 0,
                "visitor_delivered_up_to": 0,
            },
            "row": {"id": conversation_id, "unread_count": 1},
        }
        assert event.visitor_type == "message.read"
        assert visitor_data_of(event) == {
            "engagement_id": conversation_id,
            "reader_type": "user",
            "reader_id": agent.user_id,
            "message_id": second.message_id,
        }
        conversation = Conversation.objects.get()
        assert conversation.agents_read_up_to == second.message_id
        assert conversation.unread_count == 1
        assert third.message_id > second.message_id

    def test_ends_at_the_newest_message_of_this_conversation(
        self,
        agent: Agent,
        site: Site,
        visitor: VisitorAccess,
        conversation_id: int,
        published: Published,
    ) -> None:
        newest = say(visitor).message_id
        foreign = say(open_visitor(site)).message_id
        assert foreign > newest
        published.take()
        agent_seen(agent=agent, conversation_id=conversation_id, read_up_to=10**15, now=NOW)
        [event] = published.take()
        assert data_of(event)["read_up_to"] == newest

    def test_never_moves_back(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        first = Conversation.objects.get().messages.get().pk
        second = say(visitor).message_id
        agent_seen(agent=agent, conversation_id=conversation_id, read_up_to=second, now=NOW)
        published.take()
        for mark in (second, first, 0, -1):
            agent_seen(agent=agent, conversation_id=conversation_id, read_up_to=mark, now=NOW)
        assert published.take() == []
        assert Conversation.objects.get().agents_read_up_to == second

    def test_counts_only_the_visitors_messages(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        first = Conversation.objects.get().messages.get().pk
        answer(agent, conversation_id, is_public=False)
        published.take()
        agent_seen(agent=agent, conversation_id=conversation_id, read_up_to=first, now=NOW)
        [event] = published.take()
        assert data_of(event)["row"]["unread_count"] == 0

    def test_elsewhere_is_not_found(
        self, stranger: Agent, conversation_id: int, published: Published
    ) -> None:
        with pytest.raises(NotFound):
            agent_seen(agent=stranger, conversation_id=conversation_id, read_up_to=1, now=NOW)
        assert published.take() == []


class TestVisitorSeen:
    def test_moves_the_visitors_mark(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        message_id = answer(agent, conversation_id).message.id
        published.take()
        visitor_seen(visitor=visitor, engagement_id=conversation_id, message_id=message_id, now=NOW)
        [event] = published.take()
        assert event.type == "seen.updated"
        assert data_of(event) == {
            "by": "visitor",
            "agent_id": None,
            "read_up_to": message_id,
            "marks": {
                "agents_read_up_to": message_id,
                "visitor_read_up_to": message_id,
                "visitor_delivered_up_to": message_id,
            },
            "row": {"id": conversation_id},
        }
        assert event.visitor_payload is None
        assert Conversation.objects.get().visitor_read_up_to == message_id

    def test_delivery_moves_its_own_mark_only(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        first, second = (answer(agent, conversation_id).message.id for _ in range(2))
        visitor_seen(visitor=visitor, engagement_id=conversation_id, message_id=first, now=NOW)
        published.take()
        for _ in range(2):
            visitor_seen(
                visitor=visitor, engagement_id=conversation_id, delivered_up_to=second, now=NOW
            )
        [event] = published.take()
        marks = data_of(event)["marks"]
        assert (marks["visitor_read_up_to"], marks["visitor_delivered_up_to"]) == (first, second)

    def test_tells_nothing_of_notes(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        message_id = answer(agent, conversation_id).message.id
        note_id = answer(agent, conversation_id, is_public=False).message.id
        published.take()
        visitor_seen(visitor=visitor, engagement_id=conversation_id, message_id=note_id, now=NOW)
        [event] = published.take()
        assert data_of(event)["read_up_to"] == message_id

    def test_never_moves_back(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        first, second = (answer(agent, conversation_id).message.id for _ in range(2))
        visitor_seen(visitor=visitor, engagement_id=conversation_id, message_id=second, now=NOW)
        published.take()
        for mark in (second, first, 0):
            visitor_seen(visitor=visitor, engagement_id=conversation_id, message_id=mark, now=NOW)
        assert published.take() == []

    @pytest.mark.parametrize("kind", ["neighbour", "other_site", "unknown"])
    def test_foreign_engagement_is_refused(
        self,
        kind: str,
        site: Site,
        visitor: VisitorAccess,
        conversation_id: int,
        published: Published,
    ) -> None:
        who = {
            "neighbour": lambda: open_visitor(site),
            "other_site": lambda: open_visitor(
                make_site(site.organization), visitor_id=visitor.visitor_id
            ),
            "unknown": lambda: visitor,
        }[kind]()
        engagement_id = 10**15 if kind == "unknown" else conversation_id
        with pytest.raises(EngagementForbidden):
            visitor_seen(visitor=who, engagement_id=engagement_id, message_id=10**9, now=NOW)
        assert published.take() == []


class TestAvailability:
    def test_reaches_the_organization(self, agent: Agent, published: Published) -> None:
        set_availability(agent=agent, status=Availability.BUSY, now=NOW)
        [event] = published.take()
        assert event.type == "presence.changed"
        assert place_of(event) == {
            "organization_id": agent.organization_id,
            "site_id": None,
            "conversation_id": None,
            "contact_id": None,
        }
        assert data_of(event) == {"agent_id": agent.user_id, "status": "busy"}
        assert Membership.objects.get(pk=agent.membership_id).availability == "busy"

    def test_as_before_is_no_news(self, agent: Agent, published: Published) -> None:
        set_availability(agent=agent, status=Availability.AVAILABLE, now=NOW)
        assert published.take() == []


def test_activity_leaves_no_trace_in_the_log(
    agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
) -> None:
    before = StoredEvent.objects.count()
    agent_typing(agent=agent, conversation_id=conversation_id, typing=True, now=NOW)
    agent_seen(agent=agent, conversation_id=conversation_id, read_up_to=10**9, now=NOW)
    set_availability(agent=agent, status=Availability.AWAY, now=NOW)
    assert all(event.seq is None for event in published.take())
    assert StoredEvent.objects.count() == before
