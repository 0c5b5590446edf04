"""Visitors' sends against each other and against agents, in threads with real transactions."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from realtime.models import ContactStream, OrganizationStream, StoredEvent
from tests.conftest import Published
from tests.factories import answer, make_agent, make_organization, make_site, open_visitor, say
from tests.threads import together
from webchat.models import Conversation, ConversationStatus, Message, Organization, Site
from webchat.principal import Agent, VisitorAccess
from webchat.services.activity import agent_seen
from webchat.services.conversation import claim, close, reopen
from webchat.services.errors import (
    AlreadyAssigned,
    ConversationClosedError,
    ConversationSuperseded,
)
from webchat.services.message.agent import send_agent_message

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8


@pytest.fixture
def visitor() -> VisitorAccess:
    return open_visitor(make_site(make_organization()), name="Vera")


def assert_streams_whole() -> None:
    """Numbers without a gap, and each message in exactly one event, ids rising with the stream."""
    for stream in OrganizationStream.objects.all():
        seqs = StoredEvent.objects.filter(organization_id=stream.pk).order_by("seq")
        assert list(seqs.values_list("seq", flat=True)) == list(range(1, stream.seq + 1))
    for counter in ContactStream.objects.all():
        events = list(
            StoredEvent.objects.filter(contact_id=counter.pk, stream_seq__isnull=False).order_by(
                "stream_seq"
            )
        )
        assert [event.stream_seq for event in events] == list(range(1, counter.stream_seq + 1))
        told = [
            json.loads(event.agent_payload)["id"]
            for event in events
            if event.type == "message.created"
        ]
        stored = Message.objects.filter(conversation__contact_id=counter.pk, is_public=True)
        assert told == list(stored.order_by("pk").values_list("pk", flat=True))


def test_one_client_message_id_is_one_message(visitor: VisitorAccess, published: Published) -> None:
    answers = together(*[partial(say, visitor, "Hi", client_message_id="m1")] * THREADS)
    assert len({(a.message_id, a.conversation_id, a.created_at) for a in answers}) == 1
    assert sorted(a.deduped for a in answers) == [False] + [True] * (THREADS - 1)
    assert [a.event_id is None for a in answers] == [a.deduped for a in answers]
    assert Message.objects.count() == 1
    assert published.types() == ["conversation.started", "message.created"]
    conversation = Conversation.objects.get()
    assert conversation.unread_count == 1
    assert_streams_whole()


def test_repetitions_beside_new_messages_burn_no_number(
    visitor: VisitorAccess, published: Published
) -> None:
    def work(seed: int) -> None:
        order = [f"m{number}" for number in range(6)]
        Random(seed).shuffle(order)
        for client_message_id in order:
            say(visitor, client_message_id, client_message_id=client_message_id)

    together(*[partial(work, seed) for seed in range(6)])
    assert Message.objects.count() == 6
    assert Conversation.objects.get().unread_count == 6
    assert published.types().count("message.created") == 6
    assert StoredEvent.objects.count() == 7
    assert_streams_whole()


def test_one_client_message_id_of_an_agent_is_one_message(
    visitor: VisitorAccess, published: Published
) -> None:
    conversation_id = say(visitor).conversation_id
    agent = make_agent(Organization.objects.get())
    published.take()
    reply = partial(answer, agent, conversation_id, client_message_id="a1")
    answers = together(*[reply] * THREADS)
    assert len({a.message.id for a in answers}) == 1
    assert sorted(a.deduped for a in answers) == [False] + [True] * (THREADS - 1)
    assert published.types() == ["message.created"]
    assert Message.objects.count() == 2
    assert_streams_whole()


def test_concurrent_first_sends_join_one_conversation(
    visitor: VisitorAccess, published: Published
) -> None:
    answers = together(*[partial(say, visitor, f"Hi {n}") for n in range(THREADS)])
    assert len({a.conversation_id for a in answers}) == 1
    assert len({a.message_id for a in answers}) == THREADS
    events = published.take()
    assert [event.type for event in events].count("conversation.started") == 1
    assert min(events, key=lambda event: event.seq or 0).type == "conversation.started"
    conversation = Conversation.objects.get()
    assert conversation.unread_count == THREADS
    assert_streams_whole()


def test_two_browsers_of_one_contact_join_one_conversation(visitor: VisitorAccess) -> None:
    again = open_visitor(Site.objects.get(), visitor_id=visitor.visitor_id)
    answers = together(*[partial(say, who, "Hi") for who in (visitor, again) * 3])
    assert len({a.conversation_id for a in answers}) == 1


def test_sends_against_closers_reopeners_and_readers(
    visitor: VisitorAccess, published: Published
) -> None:
    organization = Organization.objects.get()
    visitors = [
        visitor,
        open_visitor(Site.objects.get()),
        open_visitor(make_site(organization), name="Otto"),
    ]
    engagements = [say(who).conversation_id for who in visitors]
    until = time.monotonic() + 2

    def send(number: int, random: Random) -> None:
        engagement_id = random.choice([0, engagements[number]])
        client_message_id = f"m{random.randrange(100)}"
        say(visitors[number], engagement_id=engagement_id, client_message_id=client_message_id)

    def act(agent: Agent, random: Random) -> None:
        ids = list(Conversation.objects.values_list("pk", flat=True).order_by("-pk")[:6])
        who: dict[str, Any] = {
            "agent": agent,
            "conversation_id": random.choice(ids),
            "now": timezone.now(),
        }
        actions: list[Callable[[], object]] = [
            partial(close, **who),
            partial(close, **who | {"conversation_id": ids[0]}),
            partial(reopen, **who),
            partial(claim, **who),
            partial(agent_seen, **who, read_up_to=10**9),
            partial(send_agent_message, **who, content="Good day"),
            partial(send_agent_message, **who, content="A note", is_public=False),
        ]
        random.choice(actions)()

    def repeat(step: Callable[[Random], None], seed: int) -> int:
        random, rounds = Random(seed), 0
        while time.monotonic() < until:
            rounds += 1
            with suppress(AlreadyAssigned, ConversationClosedError, ConversationSuperseded):
                step(random)
        return rounds

    steps: list[Callable[[Random], None]] = [
        *(partial(send, number) for number in (0, 0, 1, 2)),
        *(partial(act, make_agent(organization)) for _ in range(2)),
    ]
    rounds = together(*[partial(repeat, step, seed) for seed, step in enumerate(steps)])

    assert all(rounds), rounds
    open_ones = Conversation.objects.exclude(status=ConversationStatus.CLOSED)
    owners = list(open_ones.values_list("contact_id", "site_id"))
    assert len(owners) == len(set(owners))
    assert_streams_whole()
    handed_over = {event.event_id for event in published.take() if event.seq is not None}
    assert handed_over == set(StoredEvent.objects.values_list("event_id", flat=True))
