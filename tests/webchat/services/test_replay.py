"""For every publishing service: old snapshot + events == fresh snapshot."""

import time
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest

from realtime.events import CATALOGUE
from tests.conftest import Published
from tests.factories import make_agent, make_organization, make_site, open_visitor, say
from tests.replay import AgentClient, VisitorClient
from tests.threads import together
from webchat.models import Availability, Conversation, Role, Site, Team
from webchat.services.activity import (
    agent_seen,
    agent_typing,
    agent_viewing,
    set_availability,
    visitor_seen,
    visitor_typing,
)
from webchat.services.conversation import assign, claim, close, reopen
from webchat.services.errors import (
    AlreadyAssigned,
    ConversationClosedError,
    ConversationSuperseded,
)
from webchat.services.message.agent import send_agent_message
from webchat.services.message.visitor import send_visitor_message

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REFUSALS = (AlreadyAssigned, ConversationClosedError, ConversationSuperseded)


class World:
    """An organization at work, with another one beside it."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.organization = make_organization()
        self.team = Team.objects.create(organization=self.organization, name="Sales")
        shop = make_site(self.organization)
        club = make_site(self.organization, is_restricted=True)
        self.agents = [
            make_agent(self.organization, role=Role.OWNER),
            make_agent(self.organization, sites=[club]),
            make_agent(self.organization),
        ]
        self.visitors = [
            open_visitor(shop, name="Vera"),
            open_visitor(shop),
            open_visitor(club, name="Otto"),
        ]
        stranger = open_visitor(make_site(make_organization("Other")))
        self.strangers_turn: Callable[[], object] = partial(say, stranger)
        self.steps = 0

    def clients(self) -> list[AgentClient | VisitorClient]:
        """Each with a first snapshot."""
        clients: list[AgentClient | VisitorClient] = [
            *(AgentClient(agent) for agent in self.agents),
            *(VisitorClient(visitor) for visitor in self.visitors),
        ]
        for client in clients:
            client.take_snapshot()
        return clients

    def act(self) -> None:
        """Do something at random, as somebody at random; refusals are part of life."""
        self.steps += 1
        with suppress(*REFUSALS):
            self.random.choice([self.visitor_acts, *[self.agent_acts] * 3])()

    def visitor_acts(self) -> None:
        random = self.random
        visitor = random.choice(self.visitors)
        ids = self.conversations(contact_id=visitor.contact_id)
        send = partial(
            send_visitor_message,
            visitor=visitor,
            content=f"Step {self.steps}",
            client_message_id=f"m{random.randrange(30)}",
            now=self.now(),
        )
        rename = partial(
            open_visitor,
            Site.objects.get(pk=visitor.site_id),
            name=f"Name {random.randrange(3)}",
            visitor_id=visitor.visitor_id,
            now=self.now(),
        )
        actions: list[Callable[[], object]] = [send, send, self.strangers_turn, rename]
        if ids:
            about: dict[str, Any] = {
                "visitor": visitor,
                "engagement_id": random.choice(ids),
                "now": self.now(),
            }
            actions += [
                partial(send, engagement_id=about["engagement_id"], metadata={"step": self.steps}),
                partial(visitor_typing, **about, typing=True),
                partial(visitor_seen, **about, message_id=10**9),
            ]
        random.choice(actions)()

    def agent_acts(self) -> None:
        random = self.random
        agent = random.choice(self.agents)
        visible = {} if agent.site_ids is None else {"site_id__in": agent.site_ids}
        ids = self.conversations(**visible)
        everywhere = [one for one in self.agents if one.site_ids is None]
        if not ids:
            return
        about: dict[str, Any] = {
            "agent": agent,
            "conversation_id": random.choice(ids),
            "now": self.now(),
        }
        send = partial(
            send_agent_message,
            **about,
            content=f"Step {self.steps}",
            client_message_id=f"a{random.randrange(60)}",
        )
        actions: list[Callable[[], object]] = [
            send,
            send,
            partial(send, is_public=False),
            partial(claim, **about),
            partial(assign, **about, agent_id=random.choice(everywhere).user_id),
            partial(assign, **about, team_id=self.team.pk),
            partial(assign, **about),
            partial(close, **about, reason=random.choice(["", "solved"])),
            partial(reopen, **about),
            partial(reopen, **about | {"conversation_id": ids[0]}),
            partial(reopen, **about | {"conversation_id": ids[0]}),
            partial(agent_seen, **about, read_up_to=10**9),
            partial(agent_seen, **about, read_up_to=random.randrange(200)),
            partial(agent_typing, **about, typing=True),
            partial(agent_viewing, **about, viewing=True),
            partial(
                set_availability,
                agent=agent,
                status=random.choice(list(Availability)),
                now=self.now(),
            ),
        ]
        random.choice(actions)()

    def conversations(self, **narrowed: object) -> list[int]:
        rows = Conversation.objects.filter(organization=self.organization, **narrowed)
        return list(rows.order_by("-pk").values_list("pk", flat=True)[:5])

    def now(self) -> datetime:
        """Taken before the locks, so that it may go back a little."""
        return NOW + timedelta(seconds=self.steps + self.random.choice([0, 0, -0.5]))


@pytest.mark.parametrize("seed", range(4))
def test_snapshots_and_events_agree(seed: int, published: Published) -> None:
    world, random = World(seed), Random(seed)
    clients = world.clients()
    durable = {event.type for event in CATALOGUE if event.durable}
    told: set[str] = set()
    while world.steps < 150 or not told >= durable:
        assert world.steps < 1000, f"Act {durable - told} too."
        world.act()
        for event in published.take():
            told.add(event.type)
            for client in clients:
                client.hear(event)
        for client in clients:
            if random.random() < 0.1:  # loses the connection, or is back
                client.connected = not client.connected
                if client.connected:
                    client.catch_up()
            elif not client.connected and random.random() < 0.05:
                client.catch_up(limit=random.randrange(1, 5))  # dies in the middle of the resume
            elif random.random() < 0.03:
                client.take_snapshot()
    for client in clients:
        client.catch_up()
        client.assert_fresh()
        if isinstance(client, AgentClient):
            assert client.fetched == 0, "An event of a conversation whose start was not told."


@pytest.mark.django_db(transaction=True)
def test_snapshots_taken_amid_commits_agree(published: Published) -> None:
    """The position is read before the rows, so events may tell what the rows show already."""
    world = World(0)
    clients = world.clients()
    until = time.monotonic() + 1.5

    def work(seed: int) -> None:
        worker = copy(world)
        worker.random = Random(seed)
        while time.monotonic() < until:
            worker.act()

    def look() -> int:
        random, snapshots = Random(9), 0
        while time.monotonic() < until:
            client = random.choice(clients)
            if random.random() < 0.5:
                client.take_snapshot()
                snapshots += 1
            client.catch_up(limit=random.randrange(1, 20))
        return snapshots

    *_, snapshots = together(*(partial(work, seed) for seed in range(3)), look)
    assert snapshots
    for client in clients:
        client.catch_up()
        if isinstance(client, AgentClient):  # which heard of no `seen.updated`
            client.unsure = dict.fromkeys(client.rows, client.seq)
        client.assert_fresh()
