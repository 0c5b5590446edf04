import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from project.errors import InvalidArgument, NotFound
from realtime.models import VisitorPresence
from tests.factories import (
    answer,
    make_agent,
    make_organization,
    make_site,
    open_visitor,
    say,
    seen_again,
)
from webchat.models import Conversation, Organization, Role, Site, Team
from webchat.principal import Agent
from webchat.queries.conversation import (
    Filters,
    count_open,
    counts_for,
    get_position,
    get_row,
    get_snapshot,
    list_events,
    list_page,
)
from webchat.services.conversation import assign, claim, close

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def talk(site: Site, *, name: str = "", at: datetime = NOW) -> int:
    """Open a conversation of a new visitor."""
    return say(open_visitor(site, name=name), now=at).conversation_id


def ids(agent: Agent, filters: Filters | None = None) -> list[int]:
    return [row.id for row in list_page(agent, filters or Filters()).items]


class TestList:
    def test_newest_activity_comes_first(self, agent: Agent, site: Site) -> None:
        first, second, third = (talk(site, at=NOW + timedelta(minutes=n)) for n in (0, 2, 1))
        assert ids(agent) == [second, third, first]
        answer(agent, first, now=NOW + timedelta(minutes=3))
        assert ids(agent) == [first, second, third]

    def test_of_one_moment_the_newest_comes_first(self, agent: Agent, site: Site) -> None:
        opened = [talk(site) for _ in range(3)]
        with connection.cursor() as cursor:  # whose order would hide that the query has none
            cursor.execute("DROP INDEX conversation_list")
        assert ids(agent) == opened[::-1]

    def test_row_shows_what_a_list_needs(self, agent: Agent, site: Site) -> None:
        team = Team.objects.create(organization=site.organization, name="Sales")
        visitor = open_visitor(site, name="Vera")
        conversation_id = say(visitor, "Is anybody there?", now=NOW).conversation_id
        assign(agent=agent, conversation_id=conversation_id, team_id=team.pk, now=NOW)
        claim(agent=agent, conversation_id=conversation_id, now=NOW)
        VisitorPresence.objects.create(
            contact_id=visitor.contact_id, organization_id=site.organization_id, seen_at=NOW
        )
        [row] = list_page(agent, Filters()).items
        assert row.model_dump(mode="json") == {
            "id": conversation_id,
            "public_id": Conversation.objects.get().public_id,
            "status": "open",
            "contact": {
                "id": visitor.contact_id,
                "name": "Vera",
                "verified": False,
                "online": True,
            },
            "site_id": site.pk,
            "assignee": {"id": agent.user_id, "name": agent.name},
            "team": {"id": team.pk, "name": "Sales"},
            "unread_count": 1,
            "last_message": {
                "preview": "Is anybody there?",
                "sender_type": "CONTACT",
                "created_at": "2026-03-01T12:00:00Z",
            },
            "last_activity_at": "2026-03-01T12:00:00Z",
            "created_at": "2026-03-01T12:00:00Z",
        }
        assert get_row(agent, conversation_id) == row

    def test_filters_narrow_it(self, agent: Agent, organization: Organization, site: Site) -> None:
        other = make_agent(organization)
        team = Team.objects.create(organization=organization, name="Sales")
        mine, theirs, nobodys, teams, closed = (talk(site) for _ in range(5))
        claim(agent=agent, conversation_id=mine, now=NOW)
        claim(agent=other, conversation_id=theirs, now=NOW)
        assign(agent=agent, conversation_id=teams, team_id=team.pk, now=NOW)
        close(agent=agent, conversation_id=closed, now=NOW)
        assert ids(agent) == [teams, nobodys, theirs, mine]
        assert ids(agent, Filters(view="mine")) == [mine]
        assert ids(other, Filters(view="mine")) == [theirs]
        assert ids(agent, Filters(view="unassigned")) == [teams, nobodys]
        assert ids(agent, Filters(assignee=other.user_id)) == [theirs]
        assert ids(agent, Filters(team=team.pk)) == [teams]
        assert ids(agent, Filters(status="closed")) == [closed]
        assert ids(agent, Filters(view="mine", assignee=other.user_id)) == []

    def test_another_organizations_are_not_in_it(self, agent: Agent, site: Site) -> None:
        own = talk(site)
        talk(make_site(make_organization("Other")))
        assert ids(agent) == [own]

    def test_restricted_sites_are_for_their_members(
        self, organization: Organization, site: Site
    ) -> None:
        restricted = make_site(organization, is_restricted=True)
        everyones, few = talk(site), talk(restricted)
        assert ids(make_agent(organization)) == [everyones]
        assert ids(make_agent(organization, role=Role.SUPERVISOR)) == [everyones]
        assert ids(make_agent(organization, sites=[restricted])) == [few, everyones]
        assert ids(make_agent(organization, role=Role.ADMIN)) == [few, everyones]
        assert ids(make_agent(organization, role=Role.OWNER)) == [few, everyones]

    def test_a_site_that_becomes_restricted_vanishes(self, agent: Agent, site: Site) -> None:
        conversation_id = talk(site)
        site.is_restricted = True
        site.save()
        again = seen_again(agent)
        assert ids(again) == []
        with pytest.raises(NotFound):
            get_row(again, conversation_id)


class TestPages:
    def walk(self, agent: Agent, limit: int) -> list[int]:
        found: list[int] = []
        cursor = None
        while True:
            page = list_page(agent, Filters(), cursor=cursor, limit=limit)
            found += [row.id for row in page.items]
            if page.next is None:
                return found
            assert len(page.items) == limit
            cursor = page.next

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 8])
    def test_together_are_the_whole_list(self, limit: int, agent: Agent, site: Site) -> None:
        random = Random(limit)
        for _ in range(7):  # ties among them
            talk(site, at=NOW + timedelta(microseconds=random.randrange(3)))
        whole = ids(agent)
        assert len(whole) == 7
        assert self.walk(agent, limit) == whole

    def test_last_one_has_no_next(self, agent: Agent, site: Site) -> None:
        for _ in range(2):
            talk(site)
        assert list_page(agent, Filters(), limit=2).next is None
        assert list_page(agent, Filters(), limit=1).next is not None

    @pytest.mark.parametrize(
        "place",
        [
            None,
            7,
            [],
            ["2026-03-01T12:00:00+00:00"],
            ["2026-03-01T12:00:00+00:00", "x"],
            ["2026-03-01T12:00:00", 1],
            ["yesterday", 1],
            [7, 1],
            {"at": 1},
            ["2026-03-01T12:00:00+00:00", 1, 2],
            ["0001-01-01T00:00:00+23:59", 1],
        ],
    )
    def test_a_cursor_that_no_page_gave_out_is_refused(self, place: object, agent: Agent) -> None:
        cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
        with pytest.raises(InvalidArgument) as refusal:
            list_page(agent, Filters(), cursor=cursor)
        assert refusal.value.details == {"field": "cursor"}

    @pytest.mark.parametrize("cursor", ["", "x", "ä", "!!!!", "////", "a" * 5000, "\N{SNOWMAN}"])
    def test_what_is_no_cursor_is_refused(self, cursor: str, agent: Agent) -> None:
        with pytest.raises(InvalidArgument):
            list_page(agent, Filters(), cursor=cursor)


class TestPosition:
    def test_is_the_head_of_the_stream(self, agent: Agent, site: Site) -> None:
        assert get_position(agent.organization_id).seq == 0
        conversation_id = talk(site)
        position = get_position(agent.organization_id)
        assert position.seq == 2
        assert position.epoch == get_position(agent.organization_id).epoch
        assert list_page(agent, Filters()).position == position
        assert get_snapshot(agent, conversation_id).position == position

    def test_is_read_before_the_rows(self, agent: Agent, site: Site) -> None:
        talk(site)
        with CaptureQueriesContext(connection) as captured:
            list_page(agent, Filters())
        tables = [query["sql"] for query in captured]
        assert "realtime_organizationstream" in tables[0]
        assert "webchat_conversation" in tables[-1]


class TestCounts:
    def test_are_each_agents_own(self, organization: Organization, site: Site) -> None:
        restricted = make_site(organization, is_restricted=True)
        agent, member = make_agent(organization), make_agent(organization, sites=[restricted])
        mine, closed = talk(site), talk(site)
        talk(site)
        claim(agent=agent, conversation_id=mine, now=NOW)
        claim(agent=member, conversation_id=talk(restricted), now=NOW)
        talk(restricted)
        close(agent=agent, conversation_id=closed, now=NOW)
        talk(make_site(make_organization("Other")))
        counted = count_open(organization.pk)
        assert counts_for(agent, counted) == {"mine": 1, "unassigned": 1, "all": 2}
        assert counts_for(member, counted) == {"mine": 1, "unassigned": 2, "all": 4}
        for who in (agent, member):
            for view in ("mine", "unassigned", "all"):
                shown = len(ids(who, Filters(view=view)))
                assert counts_for(who, counted)[view] == shown

    def test_of_nothing_are_zero(self, agent: Agent) -> None:
        counted = count_open(agent.organization_id)
        assert counts_for(agent, counted) == {"mine": 0, "unassigned": 0, "all": 0}


class TestEvents:
    def test_are_paged_in_order(self, agent: Agent, site: Site) -> None:
        conversation_id = talk(site)
        talk(site)
        answer(agent, conversation_id)
        answer(agent, conversation_id, is_public=False)
        seqs: list[int | None] = []
        after: int | None = 0
        while after is not None:
            page = list_events(agent, conversation_id, after=after, limit=3)
            seqs += [event.seq for event in page.items]
            after = page.next
        assert seqs == [1, 2, 5, 6]

    def test_of_what_the_agent_may_not_see_are_not_found(self, site: Site) -> None:
        conversation_id = talk(site)
        with pytest.raises(NotFound):
            list_events(make_agent(make_organization("Other")), conversation_id)


def test_costs_do_not_grow_with_the_rows(agent: Agent, site: Site) -> None:
    def costs_with(more: int) -> list[int]:
        for _ in range(more):
            conversation_id = talk(site, name="Vera")
            answer(agent, conversation_id)
            claim(agent=agent, conversation_id=conversation_id, now=NOW)
        [newest, *_] = ids(agent)
        queries: list[Callable[[], object]] = [
            partial(list_page, agent, Filters()),
            partial(count_open, agent.organization_id),
            partial(list_events, agent, newest),
            partial(get_snapshot, agent, newest),
        ]
        costs = []
        for query in queries:
            with CaptureQueriesContext(connection) as captured:
                query()
            costs.append(len(captured))
        return costs

    assert costs_with(1) == costs_with(2) == [3, 1, 2, 3]
