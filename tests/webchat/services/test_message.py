from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from project.errors import AppError, NotFound
from realtime.models import StoredEvent
from tests.conftest import Published
from tests.events import data_of, place_of, visitor_data_of
from tests.factories import answer, make_agent, make_organization, make_site, open_visitor, say
from webchat.models import Conversation, ConversationStatus, Message, Organization, Site
from webchat.principal import Agent, VisitorAccess
from webchat.services.conversation import close
from webchat.services.errors import (
    ContentTooLong,
    ConversationSuperseded,
    EmptyContent,
    EngagementForbidden,
)
from webchat.services.message.content import MAX_LENGTH

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=90)


@pytest.fixture
def visitor(site: Site) -> VisitorAccess:
    return open_visitor(site, name="Vera")


def close_it(agent: Agent, conversation_id: int) -> None:
    close(agent=agent, conversation_id=conversation_id, now=NOW)


class TestVisitor:
    def test_first_message_opens_a_conversation(
        self, visitor: VisitorAccess, published: Published
    ) -> None:
        sent = say(visitor, "Is it   open\ntoday?", client_message_id="m1", now=NOW)
        conversation = Conversation.objects.get()
        assert (sent.conversation_id, sent.created_at, sent.deduped) == (
            conversation.pk,
            NOW,
            False,
        )
        last_message = {
            "preview": "Is it open today?",
            "sender_type": "CONTACT",
            "created_at": "2026-03-01T12:00:00Z",
        }
        started, created = published.take()
        assert (started.type, created.type) == ("conversation.started", "message.created")
        assert created.event_id == sent.event_id
        assert visitor_data_of(started) is None
        assert data_of(started) == {
            "row": {
                "id": conversation.pk,
                "public_id": conversation.public_id,
                "status": "open",
                "contact": {
                    "id": visitor.contact_id,
                    "name": "Vera",
                    "verified": False,
                    "online": False,
                },
                "site_id": visitor.site_id,
                "assignee": None,
                "team": None,
                "unread_count": 1,
                "last_message": last_message,
                "last_activity_at": "2026-03-01T12:00:00Z",
                "created_at": "2026-03-01T12:00:00Z",
            }
        }
        assert place_of(created) == {
            "organization_id": visitor.organization_id,
            "site_id": visitor.site_id,
            "conversation_id": conversation.pk,
            "contact_id": visitor.contact_id,
        }
        assert data_of(created) == {
            "id": sent.message_id,
            "content": "Is it   open\ntoday?",
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
            "metadata": {},
            "row": {
                "id": conversation.pk,
                "unread_count": 1,
                "last_message": last_message,
                "last_activity_at": "2026-03-01T12:00:00Z",
            },
        }
        assert created.visitor_type == "message.new"
        assert visitor_data_of(created) == {
            "message_id": sent.message_id,
            "id": sent.message_id,
            "content": "Is it   open\ntoday?",
            "content_type": "TEXT",
            "sender": {"type": "CONTACT", "id": visitor.contact_id, "name": "Vera"},
            "created_at": "2026-03-01T12:00:00Z",
            "parent_message_id": None,
            "client_message_id": "m1",
            "attachments": [],
            "metadata": {},
        }
        assert created.channels == (f"visitor:{visitor.visitor_id}",)
        assert created.waits_for_sender

    def test_second_message_joins_the_open_conversation(
        self, visitor: VisitorAccess, published: Published
    ) -> None:
        first = say(visitor, now=NOW)
        published.take()
        second = say(visitor, "And now?", now=LATER)
        assert second.conversation_id == first.conversation_id
        [created] = published.take()
        assert data_of(created)["row"] == {
            "id": first.conversation_id,
            "unread_count": 2,
            "last_message": {
                "preview": "And now?",
                "sender_type": "CONTACT",
                "created_at": "2026-03-01T12:01:30Z",
            },
            "last_activity_at": "2026-03-01T12:01:30Z",
        }

    def test_metadata_and_parent_go_with_the_message(
        self, visitor: VisitorAccess, published: Published
    ) -> None:
        parent = say(visitor)
        published.take()
        metadata = {"answer": {"message_id": 1, "value": "ja \N{SNOWMAN}"}}
        sent = say(visitor, parent_message_id=parent.message_id, metadata=metadata)
        [created] = published.take()
        assert data_of(created)["metadata"] == visitor_data_of(created)["metadata"] == metadata
        assert data_of(created)["parent_message_id"] == parent.message_id
        stored = Message.objects.get(pk=sent.message_id)
        assert (stored.metadata, stored.parent_id) == (metadata, parent.message_id)

    def test_repetition_gets_the_first_answer(
        self, visitor: VisitorAccess, published: Published
    ) -> None:
        first = say(visitor, "One", client_message_id="m1", now=NOW)
        published.take()
        again = say(visitor, "Other text", client_message_id="m1", now=LATER)
        assert (again.message_id, again.conversation_id, again.created_at) == (
            first.message_id,
            first.conversation_id,
            NOW,
        )
        assert again.deduped
        assert again.event_id is None
        assert published.take() == []
        assert Message.objects.get().content == "One"
        conversation = Conversation.objects.get()
        assert (conversation.unread_count, conversation.last_activity_at) == (1, NOW)

    def test_repetition_after_the_close_opens_nothing(
        self, visitor: VisitorAccess, agent: Agent, published: Published
    ) -> None:
        first = say(visitor, client_message_id="m1")
        close_it(agent, first.conversation_id)
        again = say(visitor, client_message_id="m1", engagement_id=first.conversation_id)
        assert (again.conversation_id, again.deduped) == (first.conversation_id, True)
        assert Conversation.objects.get().status == ConversationStatus.CLOSED

    def test_repetition_is_known_even_with_a_foreign_engagement(
        self, visitor: VisitorAccess, site: Site
    ) -> None:
        first = say(visitor, client_message_id="m1")
        foreign = say(open_visitor(site))
        again = say(visitor, client_message_id="m1", engagement_id=foreign.conversation_id)
        assert (again.message_id, again.deduped) == (first.message_id, True)

    def test_another_visitors_same_client_id_is_another_message(
        self, visitor: VisitorAccess, site: Site, agent: Agent
    ) -> None:
        mine = say(visitor, client_message_id="m1")
        theirs = say(open_visitor(site), client_message_id="m1")
        agents = answer(agent, mine.conversation_id, client_message_id="m1")
        assert not theirs.deduped
        assert not agents.deduped
        assert len({mine.message_id, theirs.message_id, agents.message.id}) == 3

    def test_without_a_client_id_nothing_is_a_repetition(self, visitor: VisitorAccess) -> None:
        assert say(visitor, "Hi").message_id != say(visitor, "Hi").message_id

    def test_own_engagement_is_accepted(self, visitor: VisitorAccess) -> None:
        first = say(visitor)
        second = say(visitor, engagement_id=first.conversation_id)
        assert second.conversation_id == first.conversation_id

    def test_closed_engagement_opens_a_new_conversation(
        self, visitor: VisitorAccess, agent: Agent, published: Published
    ) -> None:
        first = say(visitor)
        close_it(agent, first.conversation_id)
        published.take()
        second = say(visitor, engagement_id=first.conversation_id)
        assert second.conversation_id != first.conversation_id
        assert published.types() == ["conversation.started", "message.created"]

    def test_closed_engagement_joins_the_one_that_is_open(
        self, visitor: VisitorAccess, agent: Agent
    ) -> None:
        first = say(visitor)
        close_it(agent, first.conversation_id)
        second = say(visitor)
        third = say(visitor, engagement_id=first.conversation_id)
        assert third.conversation_id == second.conversation_id

    @pytest.mark.parametrize("kind", ["unknown", "neighbour", "other_site", "other_organization"])
    def test_foreign_and_unknown_engagements_look_alike(
        self, kind: str, visitor: VisitorAccess, site: Site, published: Published
    ) -> None:
        organization = site.organization
        engagement_id = 10**15
        if kind == "neighbour":
            engagement_id = say(open_visitor(site)).conversation_id
        if kind == "other_site":
            elsewhere = open_visitor(make_site(organization), visitor_id=visitor.visitor_id)
            engagement_id = say(elsewhere).conversation_id
        if kind == "other_organization":
            other = open_visitor(make_site(make_organization("Other")))
            engagement_id = say(other).conversation_id
        published.take()
        before = Message.objects.count()
        with pytest.raises(EngagementForbidden) as refusal:
            say(visitor, engagement_id=engagement_id, client_message_id="m1")
        assert refusal.value.body() == EngagementForbidden().body()
        assert published.take() == []
        assert Message.objects.count() == before
        assert not Conversation.objects.filter(
            contact_id=visitor.contact_id, site_id=visitor.site_id
        ).exists()

    @pytest.mark.parametrize("kind", ["unknown", "neighbour", "note", "other_site"])
    def test_foreign_private_and_unknown_parents_look_alike(
        self, kind: str, visitor: VisitorAccess, site: Site, agent: Agent, published: Published
    ) -> None:
        own = say(visitor)
        parent_id = 10**15
        if kind == "neighbour":
            parent_id = say(open_visitor(site)).message_id
        if kind == "note":
            parent_id = answer(agent, own.conversation_id, is_public=False).message.id
        if kind == "other_site":
            elsewhere = make_site(site.organization)
            parent_id = say(open_visitor(elsewhere, visitor_id=visitor.visitor_id)).message_id
        published.take()
        with pytest.raises(NotFound) as refusal:
            say(visitor, parent_message_id=parent_id)
        assert refusal.value.details == {"field": "parent_message_id"}
        assert published.take() == []

    def test_parent_may_be_of_an_earlier_conversation(
        self, visitor: VisitorAccess, agent: Agent
    ) -> None:
        first = say(visitor)
        close_it(agent, first.conversation_id)
        second = say(visitor, parent_message_id=first.message_id)
        assert Message.objects.get(pk=second.message_id).parent_id == first.message_id

    @pytest.mark.parametrize("content", ["", " \n\t ", "\N{NO-BREAK SPACE}"])
    def test_blank_content_is_refused(
        self, content: str, visitor: VisitorAccess, published: Published
    ) -> None:
        with pytest.raises(EmptyContent):
            say(visitor, content)
        assert published.take() == []

    @pytest.mark.parametrize("character", ["a", "ä", "\N{THUMBS UP SIGN}"])
    def test_lengths_count_code_points(self, character: str, visitor: VisitorAccess) -> None:
        say(visitor, character * MAX_LENGTH)
        assert Conversation.objects.get().last_message_preview == character * 160
        with pytest.raises(ContentTooLong) as refusal:
            say(visitor, character * (MAX_LENGTH + 1))
        assert refusal.value.details == {"limit": 10_000, "length": 10_001}
        assert Message.objects.count() == 1


class TestAgent:
    @pytest.fixture
    def conversation_id(self, visitor: VisitorAccess, published: Published) -> int:
        conversation_id = say(visitor, now=NOW).conversation_id
        published.take()
        return conversation_id

    def test_message_reaches_agents_and_the_visitor(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        sent = answer(agent, conversation_id, "Yes.", client_message_id="a1", now=LATER)
        [created] = published.take()
        message = {
            "id": sent.message.id,
            "content": "Yes.",
            "message_type": "TEXT",
            "sender_type": "USER",
            "sender_user_id": agent.user_id,
            "sender_name": agent.name,
            "direction": "OUTBOUND",
            "created_at": "2026-03-01T12:01:30Z",
            "is_public": True,
            "parent_message_id": None,
            "client_message_id": "a1",
            "attachments": [],
            "reactions": [],
            "metadata": {},
        }
        assert created.type == "message.created"
        assert place_of(created) == {
            "organization_id": agent.organization_id,
            "site_id": visitor.site_id,
            "conversation_id": conversation_id,
            "contact_id": visitor.contact_id,
        }
        assert sent.message.model_dump(mode="json") == message
        assert data_of(created) == {
            **message,
            "row": {
                "id": conversation_id,
                "unread_count": 0,
                "last_message": {
                    "preview": "Yes.",
                    "sender_type": "USER",
                    "created_at": "2026-03-01T12:01:30Z",
                },
                "last_activity_at": "2026-03-01T12:01:30Z",
            },
        }
        assert created.visitor_type == "message.new"
        assert visitor_data_of(created) == {
            "message_id": sent.message.id,
            "id": sent.message.id,
            "content": "Yes.",
            "content_type": "TEXT",
            "sender": {"type": "USER", "id": agent.user_id, "name": agent.name},
            "created_at": "2026-03-01T12:01:30Z",
            "parent_message_id": None,
            "client_message_id": "a1",
            "attachments": [],
            "metadata": {},
        }
        assert not created.waits_for_sender

    def test_message_counts_as_having_read(self, agent: Agent, conversation_id: int) -> None:
        sent = answer(agent, conversation_id)
        conversation = Conversation.objects.get()
        assert conversation.unread_count == 0
        assert conversation.agents_read_up_to == sent.message.id

    def test_note_never_reaches_the_visitor(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        sent = answer(agent, conversation_id, "Rude.", is_public=False, now=LATER)
        [created] = published.take()
        assert (created.visitor_type, created.visitor_payload) == (None, None)
        assert (created.stream_seq, created.channels, created.contact_id) == (None, (), None)
        stored = StoredEvent.objects.get(event_id=created.event_id)
        assert (stored.visitor_payload, stored.stream_seq, stored.visitor_pending) == (
            None,
            None,
            False,
        )
        assert data_of(created)["is_public"] is False
        assert data_of(created)["row"] == {
            "id": conversation_id,
            "last_activity_at": "2026-03-01T12:01:30Z",
        }
        assert not sent.message.is_public

    def test_note_leaves_the_list_row_but_for_its_activity(
        self, agent: Agent, conversation_id: int
    ) -> None:
        answer(agent, conversation_id, "Rude.", is_public=False, now=LATER)
        conversation = Conversation.objects.get()
        assert conversation.last_message_preview == "Hello"
        assert conversation.last_message_at == NOW
        assert conversation.last_activity_at == LATER
        assert (conversation.unread_count, conversation.agents_read_up_to) == (1, 0)

    def test_repetition_gets_the_first_answer(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        first = answer(agent, conversation_id, "One", client_message_id="a1", now=NOW)
        published.take()
        again = answer(agent, conversation_id, "Two", client_message_id="a1", now=LATER)
        assert again.message == first.message
        assert again.deduped
        assert published.take() == []

    def test_another_agents_same_client_id_is_another_message(
        self, agent: Agent, organization: Organization, conversation_id: int
    ) -> None:
        answer(agent, conversation_id, client_message_id="a1")
        other = answer(make_agent(organization), conversation_id, client_message_id="a1")
        assert not other.deduped

    def test_same_client_id_in_another_conversation_is_another_message(
        self, agent: Agent, conversation_id: int, site: Site
    ) -> None:
        elsewhere = say(open_visitor(site), "Also me").conversation_id
        first = answer(agent, conversation_id, "Yes", client_message_id="m1")
        second = answer(agent, elsewhere, "No", client_message_id="m1")
        assert (first.deduped, second.deduped) == (False, False)
        assert Message.objects.get(pk=second.message.id).conversation_id == elsewhere
        assert second.message.client_message_id == "m1"

    def test_message_reopens_a_closed_conversation(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        close_it(agent, conversation_id)
        published.take()
        answer(agent, conversation_id, now=LATER)
        reopened, created = published.take()
        assert (reopened.type, created.type) == ("conversation.reopened", "message.created")
        assert data_of(reopened)["by"] == agent.user_id
        assert data_of(reopened)["row"]["status"] == "open"
        assert reopened.visitor_type == "engagement.reopened"
        assert visitor_data_of(reopened) == {
            "engagement_id": conversation_id,
            "agent": None,
        }
        assert (reopened.stream_seq or 0) + 1 == created.stream_seq
        conversation = Conversation.objects.get()
        assert (conversation.status, conversation.closed_at) == (ConversationStatus.OPEN, None)

    def test_note_does_not_reopen(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        close_it(agent, conversation_id)
        published.take()
        answer(agent, conversation_id, is_public=False)
        assert published.types() == ["message.created"]
        assert Conversation.objects.get().status == ConversationStatus.CLOSED

    def test_message_to_a_superseded_conversation_is_refused(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        close_it(agent, conversation_id)
        following = say(visitor).conversation_id
        published.take()
        before = Message.objects.count()
        with pytest.raises(ConversationSuperseded) as refusal:
            answer(agent, conversation_id)
        assert refusal.value.details == {"conversation_id": following}
        assert published.take() == []
        assert Message.objects.count() == before

    @pytest.mark.parametrize(
        ("parent_is_public", "is_public"), [(True, True), (True, False), (False, False)]
    )
    def test_message_and_note_may_have_a_parent(
        self, parent_is_public: bool, is_public: bool, agent: Agent, conversation_id: int
    ) -> None:
        parent = answer(agent, conversation_id, is_public=parent_is_public).message.id
        sent = answer(agent, conversation_id, is_public=is_public, parent_message_id=parent)
        assert sent.message.parent_message_id == parent

    def test_a_note_is_no_parent_of_a_public_message(
        self, agent: Agent, conversation_id: int
    ) -> None:
        note = answer(agent, conversation_id, is_public=False).message.id
        with pytest.raises(NotFound) as refusal:
            answer(agent, conversation_id, parent_message_id=note)
        assert refusal.value.details == {"field": "parent_message_id"}

    def test_parent_of_another_conversation_is_refused(
        self, agent: Agent, site: Site, conversation_id: int
    ) -> None:
        foreign = say(open_visitor(site)).message_id
        with pytest.raises(NotFound):
            answer(agent, conversation_id, parent_message_id=foreign)

    @pytest.mark.parametrize(
        ("content", "refusal"), [(" ", EmptyContent), ("x" * 10_001, ContentTooLong)]
    )
    def test_content_has_the_visitors_limits(
        self, content: str, refusal: type[AppError], agent: Agent, conversation_id: int
    ) -> None:
        with pytest.raises(refusal):
            answer(agent, conversation_id, content)

    @pytest.mark.parametrize(
        "stranger",
        [
            lambda _: make_agent(make_organization("Other")),
            lambda organization: make_agent(
                organization, sites=[make_site(organization, is_restricted=True)]
            ),
        ],
        ids=["other organization", "other site"],
    )
    def test_unseen_conversation_is_not_found(
        self,
        stranger: Callable[[Organization], Agent],
        organization: Organization,
        site: Site,
        conversation_id: int,
        published: Published,
    ) -> None:
        Site.objects.filter(pk=site.pk).update(is_restricted=True)
        with pytest.raises(NotFound):
            answer(stranger(organization), conversation_id)
        assert published.take() == []
