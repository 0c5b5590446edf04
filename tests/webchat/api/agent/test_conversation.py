"""Conversations over REST."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from realtime.events.shapes import ConversationRow
from realtime.log import read
from tests.conftest import Published
from tests.events import data_of
from tests.factories import answer, make_agent, open_visitor, say
from tests.webchat.api.agent.caller import Caller, refusal
from webchat.models import Conversation, Organization, Site, Team
from webchat.principal import Agent, VisitorAccess
from webchat.queries.conversation import get_row

pytestmark = pytest.mark.django_db


def as_json(row: ConversationRow) -> Any:
    return json.loads(row.model_dump_json())


def ids(response: Any) -> list[int]:
    return [row["id"] for row in response.json()["items"]]


def start(site: Site, count: int) -> list[int]:
    """Conversations, the oldest first."""
    return [say(open_visitor(site)).conversation_id for _ in range(count)]


def cursor_of(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_all(caller: Caller, **query: Any) -> list[int]:
    """Follow `next` to the end."""
    found: list[int] = []
    cursor = ""
    while cursor is not None:
        response = caller.ask("/conversations", cursor=cursor, **query)
        found += ids(response)
        cursor = response.json()["next"]
    return found


class TestList:
    def test_shows_rows_as_events_do_with_their_place_in_the_stream(
        self, agent: Agent, caller: Caller, conversation_id: int
    ) -> None:
        assert caller.ask("/conversations").json() == {
            "items": [as_json(get_row(agent, conversation_id))],
            "next": None,
            "seq": read.get_heads([agent.organization_id])[agent.organization_id],
            "epoch": read.get_epoch(),
        }

    def test_is_empty_at_first(self, caller: Caller) -> None:
        body = caller.ask("/conversations").json()
        assert (body["items"], body["next"], body["seq"]) == ([], None, 0)

    def test_filters(
        self, agent: Agent, organization: Organization, site: Site, caller: Caller
    ) -> None:
        other = make_agent(organization)
        team = Team.objects.create(organization=organization, name="Sales")
        free, mine, theirs, ours, closed = start(site, 5)
        caller.tell(f"/conversations/{mine}/claim")
        caller.tell(f"/conversations/{theirs}/assign", {"agent_id": other.user_id})
        caller.tell(f"/conversations/{ours}/assign", {"team_id": team.pk})
        caller.tell(f"/conversations/{closed}/close")

        def shown(**query: Any) -> set[int]:
            return set(ids(caller.ask("/conversations", **query)))

        assert shown() == {free, mine, theirs, ours}
        assert shown(view="mine") == {mine}
        assert shown(view="unassigned") == {free, ours}
        assert shown(assignee=other.user_id) == {theirs}
        assert shown(team=team.pk) == {ours}
        assert shown(status="closed") == {closed}
        assert shown(assignee=2**63 - 1) == set()

    def test_hides_restricted_sites(self, organization: Organization, site: Site) -> None:
        [hidden] = start(site, 1)
        site.is_restricted = True
        site.save()
        assert ids(Caller.by_token(make_agent(organization)).ask("/conversations")) == []
        let_in = Caller.by_token(make_agent(organization, sites=[site]))
        assert ids(let_in.ask("/conversations")) == [hidden]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7])
    def test_pages_reach_each_row_once_although_all_have_the_same_time(
        self, site: Site, caller: Caller, limit: int
    ) -> None:
        started = start(site, 7)
        Conversation.objects.update(last_activity_at=timezone.now())
        assert read_all(caller, limit=limit) == sorted(started, reverse=True)

    def test_pages_stay_stable_while_new_ones_come(self, site: Site, caller: Caller) -> None:
        started = start(site, 4)
        first = caller.ask("/conversations", limit=2)
        start(site, 3)
        second = caller.ask("/conversations", limit=2, cursor=first.json()["next"])
        assert ids(first) + ids(second) == started[::-1]
        assert second.json()["next"] is None

    def test_cursors_survive_rows_that_move_up(self, site: Site, caller: Caller) -> None:
        oldest, _, third, newest = start(site, 4)
        first = caller.ask("/conversations", limit=2)
        Conversation.objects.filter(pk=third).update(
            last_activity_at=timezone.now() + timedelta(seconds=1)
        )
        second = caller.ask("/conversations", limit=2, cursor=first.json()["next"])
        assert ids(first) == [newest, third]
        assert ids(second)[-1] == oldest

    @pytest.mark.parametrize(("limit", "shown"), [(0, 1), (-5, 1), (2, 2), (1000, 3), (10**30, 3)])
    def test_limits_are_clamped(self, site: Site, caller: Caller, limit: int, shown: int) -> None:
        start(site, 3)
        assert len(ids(caller.ask("/conversations", limit=limit))) == shown

    @pytest.mark.parametrize(
        "cursor",
        [
            "x",
            "ä",
            cursor_of("[]"),
            cursor_of("[1,2]"),
            cursor_of('["2026-01-01",1]'),
            cursor_of('["0001-01-01T00:00:00+14:00",1]'),
            cursor_of('["2026-01-01T00:00:00Z",1e999]'),
            cursor_of('["2026-01-01T00:00:00Z",true]'),
            cursor_of("[" * 9000),
        ],
    )
    def test_a_cursor_that_no_page_gave_out_is_refused(self, caller: Caller, cursor: str) -> None:
        assert refusal(caller.ask("/conversations", cursor=cursor)) == (400, "INVALID_ARGUMENT")

    def test_a_cursor_beyond_every_id_is_harmless(
        self, caller: Caller, conversation_id: int
    ) -> None:
        cursor = cursor_of('["9999-01-01T00:00:00Z",99999999999999999999]')
        assert caller.ask("/conversations", cursor=cursor).status_code in {200, 400}

    @pytest.mark.parametrize("count", [1, 3])
    def test_costs_the_same_queries_for_any_number_of_rows(
        self, site: Site, caller: Caller, count: int, django_assert_num_queries: Any
    ) -> None:
        start(site, count)
        read.get_epoch()  # it is made on first use
        with django_assert_num_queries(5):  # token, restricted sites, head, epoch, rows
            assert len(ids(caller.ask("/conversations"))) == count

    def test_reads_its_place_in_the_stream_before_the_rows(
        self, caller: Caller, conversation_id: int, django_assert_num_queries: Any
    ) -> None:
        read.get_epoch()  # it is made on first use
        for path, count in ((f"/conversations/{conversation_id}", 5), ("/conversations", 5)):
            with django_assert_num_queries(count) as captured:
                caller.ask(path)
            tables = [
                "rows" if '"webchat_conversation"' in query["sql"] else "head"
                for query in captured.captured_queries
                if "_conversation" in query["sql"] or "_organizationstream" in query["sql"]
            ]
            assert tables == ["head", "rows"]


class TestGet:
    def test_gives_the_row_and_its_place_in_the_stream(
        self, agent: Agent, caller: Caller, conversation_id: int
    ) -> None:
        body = caller.ask(f"/conversations/{conversation_id}").json()
        assert (body.pop("seq"), body.pop("epoch")) == (2, read.get_epoch())
        assert body.pop("marks") == {
            "agents_read_up_to": 0,
            "visitor_read_up_to": 0,
            "visitor_delivered_up_to": 0,
        }
        assert body == as_json(get_row(agent, conversation_id))


class TestEvents:
    def test_are_the_frames_that_sockets_get(
        self,
        agent: Agent,
        visitor: VisitorAccess,
        caller: Caller,
        conversation_id: int,
        published: Published,
    ) -> None:
        published.take()
        answer(agent, conversation_id, 'Says "hi" \\ ü')
        [event] = published.take()
        body = caller.ask(f"/conversations/{conversation_id}/events", after=2).json()
        assert body == {
            "items": [
                {
                    "type": "message.created",
                    "seq": 3,
                    "event_id": str(event.event_id),
                    "conversation_id": conversation_id,
                    "data": data_of(event),
                }
            ],
            "next": None,
        }

    def test_come_in_order_and_in_pages(
        self, site: Site, visitor: VisitorAccess, caller: Caller, conversation_id: int
    ) -> None:
        start(site, 1)  # another conversation's events lie between
        say(visitor, "Anybody?")
        path = f"/conversations/{conversation_id}/events"
        first = caller.ask(path, limit=2).json()
        second = caller.ask(path, limit=2, after=first["next"]).json()
        assert [event["seq"] for event in first["items"]] == [1, 2]
        assert [event["seq"] for event in second["items"]] == [5]
        assert second["next"] is None
        assert caller.ask(path, after=5).json() == {"items": [], "next": None}

    @pytest.mark.parametrize("count", [1, 3])
    def test_cost_the_same_queries_for_any_number_of_them(
        self,
        visitor: VisitorAccess,
        caller: Caller,
        conversation_id: int,
        count: int,
        django_assert_num_queries: Any,
    ) -> None:
        for _ in range(count):
            say(visitor)
        with django_assert_num_queries(4):  # token, restricted sites, visibility, events
            caller.ask(f"/conversations/{conversation_id}/events")


class TestHold:
    """Claim, assign, close and reopen; their rules have tests of their own beside the service."""

    def test_claim_gives_the_row(self, agent: Agent, caller: Caller, conversation_id: int) -> None:
        response = caller.tell(f"/conversations/{conversation_id}/claim")
        assert response.status_code == 200
        assert response.json() == as_json(get_row(agent, conversation_id))
        assert response.json()["assignee"] == {"id": agent.user_id, "name": agent.name}

    def test_claim_says_who_was_faster(
        self, organization: Organization, caller: Caller, conversation_id: int
    ) -> None:
        faster = make_agent(organization)
        Caller.by_token(faster).tell(f"/conversations/{conversation_id}/claim")
        response = caller.tell(f"/conversations/{conversation_id}/claim")
        assert refusal(response) == (409, "ALREADY_ASSIGNED")
        assert response.json()["error"]["details"] == {
            "agent_id": faster.user_id,
            "agent_name": faster.name,
        }

    def test_assign_takes_an_agent_a_team_or_nobody(
        self, agent: Agent, organization: Organization, caller: Caller, conversation_id: int
    ) -> None:
        team = Team.objects.create(organization=organization, name="Sales")
        path = f"/conversations/{conversation_id}/assign"
        held = [
            (row["assignee"], row["team"])
            for row in (
                caller.tell(path, body).json()
                for body in ({"agent_id": agent.user_id}, {"team_id": team.pk}, {"agent_id": None})
            )
        ]
        ours = {"id": team.pk, "name": "Sales"}
        assert held == [
            ({"id": agent.user_id, "name": agent.name}, None),
            (None, ours),
            (None, None),
        ]

    def test_assign_needs_to_know_to_whom(self, caller: Caller, conversation_id: int) -> None:
        response = caller.tell(f"/conversations/{conversation_id}/assign", {})
        assert refusal(response) == (400, "INVALID_ARGUMENT")
        assert response.json()["error"]["details"] == {"field": "agent_id"}

    @pytest.mark.parametrize("body", [None, {}, {"reason": None}, {"reason": "Solved"}])
    def test_close_takes_a_reason_or_none(
        self, caller: Caller, conversation_id: int, body: Any
    ) -> None:
        response = caller.tell(f"/conversations/{conversation_id}/close", body)
        assert response.status_code == 200
        assert response.json()["status"] == "closed"
        expected = (body or {}).get("reason") or ""
        assert Conversation.objects.get().close_reason == expected

    def test_close_refuses_a_long_reason(self, caller: Caller, conversation_id: int) -> None:
        response = caller.tell(f"/conversations/{conversation_id}/close", {"reason": "x" * 201})
        assert refusal(response) == (400, "INVALID_ARGUMENT")

    def test_reopen_brings_it_back(self, caller: Caller, conversation_id: int) -> None:
        caller.tell(f"/conversations/{conversation_id}/close")
        response = caller.tell(f"/conversations/{conversation_id}/reopen")
        assert (response.status_code, response.json()["status"]) == (200, "open")

    def test_reopen_names_the_one_that_is_open(
        self, visitor: VisitorAccess, caller: Caller, conversation_id: int
    ) -> None:
        caller.tell(f"/conversations/{conversation_id}/close")
        newer = say(visitor, "Me again").conversation_id
        response = caller.tell(f"/conversations/{conversation_id}/reopen")
        assert refusal(response) == (409, "CONVERSATION_SUPERSEDED")
        assert response.json()["error"]["details"] == {"conversation_id": newer}

    @pytest.mark.parametrize("action", ["claim", "assign"])
    def test_a_closed_one_changes_no_hands(
        self, agent: Agent, caller: Caller, conversation_id: int, action: str
    ) -> None:
        caller.tell(f"/conversations/{conversation_id}/close")
        body = {"agent_id": agent.user_id}
        response = caller.tell(f"/conversations/{conversation_id}/{action}", body)
        assert refusal(response) == (409, "CONVERSATION_CLOSED")
