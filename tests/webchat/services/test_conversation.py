from datetime import UTC, datetime, timedelta

import pytest

from project.errors import InvalidArgument, NotFound
from tests.conftest import Published
from tests.events import data_of, place_of, visitor_data_of
from tests.factories import answer, make_agent, make_organization, make_site, open_visitor, say
from tests.threads import together
from webchat.models import (
    Conversation,
    ConversationStatus,
    Membership,
    Organization,
    Site,
    Team,
    User,
)
from webchat.principal import Agent, VisitorAccess
from webchat.queries import conversation as queries
from webchat.services.conversation import assign, claim, close, reopen
from webchat.services.errors import (
    AlreadyAssigned,
    ConversationClosedError,
    ConversationSuperseded,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=90)


@pytest.fixture
def conversation_id(visitor: VisitorAccess, published: Published) -> int:
    conversation_id = say(visitor, now=NOW).conversation_id
    published.take()
    return conversation_id


@pytest.fixture
def colleague(organization: Organization) -> Agent:
    return make_agent(organization, name="Bo")


@pytest.fixture
def team(organization: Organization) -> Team:
    return Team.objects.create(organization=organization, name="Sales")


def assert_stored(agent: Agent, row: object, conversation_id: int) -> None:
    """The answer is what a fresh look shows."""
    assert row == queries.get_row(agent, conversation_id)


class TestClaim:
    def test_makes_the_agent_the_owner(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        row = claim(agent=agent, conversation_id=conversation_id, now=LATER)
        owner = {"id": agent.user_id, "name": agent.name}
        [assigned] = published.take()
        assert assigned.type == "conversation.assigned"
        assert place_of(assigned) == {
            "organization_id": agent.organization_id,
            "site_id": visitor.site_id,
            "conversation_id": conversation_id,
            "contact_id": visitor.contact_id,
        }
        assert data_of(assigned) == {
            "agent": owner,
            "team": None,
            "by": agent.user_id,
            "row": row.model_dump(mode="json"),
        }
        assert assigned.visitor_type == "engagement.assigned"
        assert visitor_data_of(assigned) == {"engagement_id": conversation_id, "agent": owner}
        assert row.assignee is not None
        assert row.assignee.id == agent.user_id
        assert_stored(agent, row, conversation_id)

    def test_of_ones_own_changes_nothing(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        first = claim(agent=agent, conversation_id=conversation_id, now=NOW)
        published.take()
        assert claim(agent=agent, conversation_id=conversation_id, now=LATER) == first
        assert published.take() == []

    def test_of_a_colleagues_is_refused(
        self, agent: Agent, colleague: Agent, conversation_id: int, published: Published
    ) -> None:
        claim(agent=colleague, conversation_id=conversation_id, now=NOW)
        published.take()
        with pytest.raises(AlreadyAssigned) as refusal:
            claim(agent=agent, conversation_id=conversation_id, now=NOW)
        assert refusal.value.details == {"agent_id": colleague.user_id, "agent_name": "Bo"}
        assert published.take() == []

    def test_keeps_the_team(
        self, agent: Agent, team: Team, conversation_id: int, published: Published
    ) -> None:
        assign(agent=agent, conversation_id=conversation_id, team_id=team.pk, now=NOW)
        published.take()
        row = claim(agent=agent, conversation_id=conversation_id, now=NOW)
        assert row.team is not None
        [assigned] = published.take()
        assert data_of(assigned)["team"] == {"id": team.pk, "name": "Sales"}
        assert data_of(assigned)["row"]["team"] == {"id": team.pk, "name": "Sales"}

    def test_of_a_closed_one_is_refused(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        close(agent=agent, conversation_id=conversation_id, now=NOW)
        published.take()
        with pytest.raises(ConversationClosedError):
            claim(agent=agent, conversation_id=conversation_id, now=NOW)
        assert published.take() == []

    @pytest.mark.django_db(transaction=True)
    def test_of_many_at_once_has_one_winner(
        self, organization: Organization, conversation_id: int, published: Published
    ) -> None:
        agents = [make_agent(organization) for _ in range(6)]

        def attempt(agent: Agent) -> bool:
            try:
                claim(agent=agent, conversation_id=conversation_id, now=NOW)
            except AlreadyAssigned:
                return False
            return True

        won = together(*(lambda agent=agent: attempt(agent) for agent in agents))
        assert sum(won) == 1
        [assigned] = published.take()
        assert data_of(assigned)["agent"]["id"] == agents[won.index(True)].user_id


class TestAssign:
    def test_to_an_agent_keeps_the_team(
        self,
        agent: Agent,
        colleague: Agent,
        team: Team,
        conversation_id: int,
        published: Published,
    ) -> None:
        assign(agent=agent, conversation_id=conversation_id, team_id=team.pk, now=NOW)
        published.take()
        row = assign(
            agent=agent, conversation_id=conversation_id, agent_id=colleague.user_id, now=NOW
        )
        owner, group = {"id": colleague.user_id, "name": "Bo"}, {"id": team.pk, "name": "Sales"}
        [assigned] = published.take()
        assert data_of(assigned) == {
            "agent": owner,
            "team": group,
            "by": agent.user_id,
            "row": row.model_dump(mode="json"),
        }
        assert visitor_data_of(assigned) == {"engagement_id": conversation_id, "agent": owner}
        assert_stored(agent, row, conversation_id)

    def test_to_somebody_who_cannot_see_it_is_refused(
        self, agent: Agent, colleague: Agent, conversation_id: int
    ) -> None:
        User.objects.filter(pk=colleague.user_id).update(is_active=False)
        with pytest.raises(NotFound):
            assign(
                agent=agent, conversation_id=conversation_id, agent_id=colleague.user_id, now=NOW
            )
        User.objects.filter(pk=colleague.user_id).update(is_active=True)
        Site.objects.update(is_restricted=True)
        with pytest.raises(NotFound):
            assign(
                agent=agent, conversation_id=conversation_id, agent_id=colleague.user_id, now=NOW
            )

    def test_takes_over_from_a_colleague(
        self, agent: Agent, colleague: Agent, conversation_id: int
    ) -> None:
        claim(agent=colleague, conversation_id=conversation_id, now=NOW)
        row = assign(agent=agent, conversation_id=conversation_id, agent_id=agent.user_id, now=NOW)
        assert row.assignee is not None
        assert row.assignee.id == agent.user_id

    def test_to_a_team_leaves_no_owner_and_is_no_news_to_the_visitor(
        self, agent: Agent, team: Team, conversation_id: int, published: Published
    ) -> None:
        claim(agent=agent, conversation_id=conversation_id, now=NOW)
        published.take()
        row = assign(agent=agent, conversation_id=conversation_id, team_id=team.pk, now=NOW)
        group = {"id": team.pk, "name": "Sales"}
        [assigned] = published.take()
        assert data_of(assigned) == {
            "agent": None,
            "team": group,
            "by": agent.user_id,
            "row": row.model_dump(mode="json"),
        }
        assert (assigned.visitor_payload, assigned.stream_seq) == (None, None)
        assert_stored(agent, row, conversation_id)

    def test_to_nobody_takes_both_away(
        self, agent: Agent, team: Team, conversation_id: int, published: Published
    ) -> None:
        assign(agent=agent, conversation_id=conversation_id, team_id=team.pk, now=NOW)
        claim(agent=agent, conversation_id=conversation_id, now=NOW)
        published.take()
        row = assign(agent=agent, conversation_id=conversation_id, now=NOW)
        assert (row.assignee, row.team) == (None, None)
        [assigned] = published.take()
        assert data_of(assigned)["row"] == row.model_dump(mode="json")

    def test_of_what_is_so_already_changes_nothing(
        self, agent: Agent, team: Team, conversation_id: int, published: Published
    ) -> None:
        assign(agent=agent, conversation_id=conversation_id, now=NOW)
        assert published.take() == []
        assign(agent=agent, conversation_id=conversation_id, team_id=team.pk, now=NOW)
        assign(agent=agent, conversation_id=conversation_id, agent_id=agent.user_id, now=NOW)
        published.take()
        assign(agent=agent, conversation_id=conversation_id, agent_id=agent.user_id, now=NOW)
        assert published.take() == []

    def test_to_agent_and_team_is_refused(
        self, agent: Agent, team: Team, conversation_id: int
    ) -> None:
        with pytest.raises(InvalidArgument) as refusal:
            assign(
                agent=agent,
                conversation_id=conversation_id,
                agent_id=agent.user_id,
                team_id=team.pk,
                now=NOW,
            )
        assert refusal.value.details == {"field": "team_id"}

    def test_to_a_stranger_is_not_found(
        self, agent: Agent, colleague: Agent, conversation_id: int, published: Published
    ) -> None:
        stranger = make_agent(make_organization("Other"))
        Membership.objects.filter(pk=colleague.membership_id).update(revoked_at=NOW)
        for user_id in (stranger.user_id, colleague.user_id, 10**15):
            with pytest.raises(NotFound) as refusal:
                assign(agent=agent, conversation_id=conversation_id, agent_id=user_id, now=NOW)
            assert refusal.value.details == {"field": "agent_id"}
        assert published.take() == []

    def test_to_a_strangers_team_is_not_found(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        team = Team.objects.create(organization=make_organization("Other"), name="Theirs")
        with pytest.raises(NotFound) as refusal:
            assign(agent=agent, conversation_id=conversation_id, team_id=team.pk, now=NOW)
        assert refusal.value.details == {"field": "team_id"}
        assert published.take() == []

    def test_of_a_closed_one_is_refused(self, agent: Agent, conversation_id: int) -> None:
        close(agent=agent, conversation_id=conversation_id, now=NOW)
        with pytest.raises(ConversationClosedError):
            assign(agent=agent, conversation_id=conversation_id, now=NOW)


class TestClose:
    def test_tells_agents_and_the_visitor(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        row = close(agent=agent, conversation_id=conversation_id, reason="solved", now=LATER)
        [closed] = published.take()
        assert closed.type == "conversation.closed"
        assert place_of(closed) == {
            "organization_id": agent.organization_id,
            "site_id": visitor.site_id,
            "conversation_id": conversation_id,
            "contact_id": visitor.contact_id,
        }
        assert data_of(closed) == {
            "by": agent.user_id,
            "reason": "solved",
            "closed_at": "2026-03-01T12:01:30Z",
            "row": {
                "id": conversation_id,
                "status": "closed",
                "unread_count": 0,
                "last_activity_at": "2026-03-01T12:01:30Z",
            },
        }
        assert closed.visitor_type == "engagement.closed"
        assert visitor_data_of(closed) == {
            "engagement_id": conversation_id,
            "closed_at": "2026-03-01T12:01:30Z",
            "reason": "solved",
        }
        assert_stored(agent, row, conversation_id)
        stored = Conversation.objects.get()
        assert (stored.closed_at, stored.close_reason) == (LATER, "solved")

    def test_without_a_reason_says_null(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        close(agent=agent, conversation_id=conversation_id, now=NOW)
        [closed] = published.take()
        assert data_of(closed)["reason"] is None
        assert visitor_data_of(closed)["reason"] is None

    def test_of_a_closed_one_changes_nothing(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        first = close(agent=agent, conversation_id=conversation_id, reason="solved", now=NOW)
        published.take()
        again = close(agent=agent, conversation_id=conversation_id, reason="spam", now=LATER)
        assert again == first
        assert published.take() == []
        assert Conversation.objects.get().close_reason == "solved"


class TestReopen:
    def test_tells_agents_and_the_visitor(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        close(agent=agent, conversation_id=conversation_id, reason="solved", now=NOW)
        published.take()
        row = reopen(agent=agent, conversation_id=conversation_id, now=LATER)
        [reopened] = published.take()
        assert reopened.type == "conversation.reopened"
        assert place_of(reopened)["contact_id"] == visitor.contact_id
        assert data_of(reopened) == {
            "by": agent.user_id,
            "row": row.model_dump(mode="json"),
        }
        assert reopened.visitor_type == "engagement.reopened"
        assert visitor_data_of(reopened) == {"engagement_id": conversation_id, "agent": None}
        assert_stored(agent, row, conversation_id)
        stored = Conversation.objects.get()
        assert (stored.closed_at, stored.close_reason) == (None, "")

    def test_of_an_open_one_changes_nothing(
        self, agent: Agent, conversation_id: int, published: Published
    ) -> None:
        assert reopen(agent=agent, conversation_id=conversation_id, now=NOW).status == "open"
        assert published.take() == []

    def test_beside_another_open_one_is_refused(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int, published: Published
    ) -> None:
        close(agent=agent, conversation_id=conversation_id, now=NOW)
        following = say(visitor).conversation_id
        published.take()
        with pytest.raises(ConversationSuperseded) as refusal:
            reopen(agent=agent, conversation_id=conversation_id, now=NOW)
        assert refusal.value.details == {"conversation_id": following}
        assert published.take() == []
        assert Conversation.objects.get(pk=conversation_id).status == ConversationStatus.CLOSED

    def test_beside_one_on_another_site_is_allowed(
        self,
        agent: Agent,
        visitor: VisitorAccess,
        organization: Organization,
        conversation_id: int,
    ) -> None:
        close(agent=agent, conversation_id=conversation_id, now=NOW)
        say(open_visitor(make_site(organization), visitor_id=visitor.visitor_id))
        assert reopen(agent=agent, conversation_id=conversation_id, now=NOW).status == "open"

    @pytest.mark.django_db(transaction=True)
    def test_races_with_a_new_message_for_the_one_open_place(
        self, agent: Agent, visitor: VisitorAccess, conversation_id: int
    ) -> None:
        def attempt() -> bool:
            try:
                reopen(agent=agent, conversation_id=conversation_id, now=NOW)
            except ConversationSuperseded:
                return False
            return True

        def send() -> bool:
            return say(visitor).conversation_id == conversation_id

        for _ in range(5):
            for open_one in Conversation.objects.filter(status=ConversationStatus.OPEN):
                close(agent=agent, conversation_id=open_one.pk, now=NOW)
            reopened, joined = together(attempt, send)
            assert reopened == joined
            assert Conversation.objects.filter(status=ConversationStatus.OPEN).count() == 1


@pytest.mark.parametrize("service", [claim, assign, close, reopen])
def test_what_the_agent_may_not_see_is_not_found(
    service: object,
    site: Site,
    organization: Organization,
    conversation_id: int,
    published: Published,
) -> None:
    assert callable(service)
    site.is_restricted = True
    site.save()
    unknown = 10**15
    strangers = [
        (make_agent(organization), conversation_id),
        (make_agent(make_organization("Other")), conversation_id),
        (make_agent(organization, sites=[site]), unknown),
    ]
    for agent, chosen in strangers:
        with pytest.raises(NotFound) as refusal:
            service(agent=agent, conversation_id=chosen, now=NOW)
        assert refusal.value.body() == NotFound().body()
    assert published.take() == []
    service(agent=make_agent(organization, sites=[site]), conversation_id=conversation_id, now=NOW)


def test_a_conversation_answered_by_nobody_in_particular_has_no_owner(
    agent: Agent, conversation_id: int
) -> None:
    answer(agent, conversation_id)
    assert queries.get_row(agent, conversation_id).assignee is None
