import json
from contextlib import suppress
from random import Random

import pytest
from django.db import transaction

from realtime import streams
from realtime.events import ConversationReopened, Event
from realtime.models import ContactStream, OrganizationStream, StoredEvent
from realtime.outgoing import Outgoing
from realtime.publish import publish
from tests.conftest import Published
from tests.realtime.samples import (
    CONTACT,
    CONVERSATION,
    NOW,
    ORGANIZATION,
    ROW,
    fleeting_event,
    hidden_event,
    open_contact,
    open_streams,
    seen_event,
)
from tests.threads import together

pytestmark = pytest.mark.django_db


def commit(*events: Event) -> None:
    with transaction.atomic():
        streams.lock_contacts({event.contact_id for event in events if event.contact_id})
        publish(*events)


def numbers(events: list[Outgoing]) -> list[tuple[int | None, int | None]]:
    return [(event.seq, event.stream_seq) for event in events]


def test_publish_numbers_both_streams_from_one(published: Published) -> None:
    open_streams()
    commit(seen_event())
    commit(hidden_event())
    commit(seen_event())
    assert numbers(published.take()) == [(1, 1), (2, None), (3, 2)]


def test_publish_numbers_several_events_in_order(published: Published) -> None:
    open_streams(ORGANIZATION, CONTACT, "first")
    open_contact(ORGANIZATION, 6, "second")
    events = [seen_event(), hidden_event(), seen_event(6), seen_event(), hidden_event(6)]
    commit(*events)
    handed_over = published.take()
    assert [event.event_id for event in handed_over] == [event.event_id for event in events]
    assert numbers(handed_over) == [(1, 1), (2, None), (3, 1), (4, 2), (5, None)]
    assert [event.channels for event in handed_over] == [
        ("visitor:first",),
        (),
        ("visitor:second",),
        ("visitor:first",),
        (),
    ]


def test_publish_keeps_apart_organizations(published: Published) -> None:
    open_streams()
    open_streams(2, 6)
    commit(seen_event())
    commit(seen_event(6, organization_id=2))
    assert [(e.organization_id, e.seq, e.stream_seq) for e in published.take()] == [
        (1, 1, 1),
        (2, 1, 1),
    ]


def test_publish_stores_what_it_hands_over(published: Published) -> None:
    open_streams(ORGANIZATION, CONTACT, "first")
    commit(seen_event(), hidden_event())
    seen, hidden = published.take()
    rows = StoredEvent.objects.order_by("seq")
    assert [(row.agents_pending, row.visitor_pending) for row in rows] == [
        (True, True),
        (True, False),
    ]
    assert [row.created_at for row in rows] == [NOW, NOW]
    assert Outgoing.from_row(rows[0], ("visitor:first",)) == seen
    assert Outgoing.from_row(rows[1]) == hidden
    assert hidden.contact_id is None
    assert hidden.visitor_payload is None


def test_publish_freezes_payloads_without_their_numbers(published: Published) -> None:
    open_streams()
    commit(seen_event())
    [event] = published.take()
    assert json.loads(event.agent_payload or "") == {
        "by": 7,
        "row": ROW.model_dump(mode="json"),
    }
    assert json.loads("{" + event.agent_frame()) == {
        "type": "conversation.reopened",
        "seq": 1,
        "event_id": str(event.event_id),
        "conversation_id": CONVERSATION,
        "data": {"by": 7, "row": ROW.model_dump(mode="json")},
    }
    assert json.loads(event.visitor_envelope()) == {
        "type": "engagement.reopened",
        "engagement_id": CONVERSATION,
        "seq": 1,
        "event_id": str(event.event_id),
        "data": {"engagement_id": CONVERSATION, "agent": None},
    }


def test_publish_tells_the_channels_and_the_oldest_pending(published: Published) -> None:
    open_streams(ORGANIZATION, CONTACT, "first", "second")
    open_contact(ORGANIZATION, 6)
    commit(seen_event())
    commit(seen_event(), seen_event())
    StoredEvent.objects.filter(stream_seq=1).update(visitor_pending=False)
    commit(seen_event())
    StoredEvent.objects.update(visitor_pending=False)
    commit(seen_event(6))
    commit(seen_event())
    events = published.take()
    assert [event.pending_from for event in events] == [None, 1, 1, 2, None, None]
    assert {frozenset(event.channels) for event in events if event.contact_id == CONTACT} == {
        frozenset({"visitor:first", "visitor:second"})
    }
    assert [event.channels for event in events if event.contact_id == 6] == [()]


def test_publish_hands_over_ephemeral_events_without_a_row(published: Published) -> None:
    open_streams(ORGANIZATION, CONTACT, "first")
    publish(fleeting_event())
    [event] = published.take()
    assert numbers([event]) == [(None, None)]
    assert event.channels == ("visitor:first",)
    assert not StoredEvent.objects.exists()
    assert "seq" not in json.loads(event.visitor_envelope())


def test_publish_rolled_back_publishes_nothing_and_burns_no_number(published: Published) -> None:
    open_streams()
    with suppress(ZeroDivisionError), transaction.atomic():
        publish(seen_event(), fleeting_event())
        raise ZeroDivisionError
    assert published.take() == []
    assert not StoredEvent.objects.exists()
    commit(seen_event())
    assert numbers(published.take()) == [(1, 1)]


@pytest.mark.django_db(transaction=True)
def test_publish_refuses_durable_events_outside_a_transaction(published: Published) -> None:
    open_streams()
    with pytest.raises(RuntimeError, match="inside the transaction"):
        publish(seen_event())
    assert not StoredEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_publish_hands_over_nothing_before_the_commit(published: Published) -> None:
    open_streams()
    with transaction.atomic():
        publish(seen_event(), fleeting_event())
        assert published.take() == []
    assert published.types() == ["conversation.reopened", "typing.started"]


def test_publish_refuses_events_of_two_organizations(published: Published) -> None:
    open_streams()
    open_streams(2, 6)
    with pytest.raises(ValueError, match="one organization"):
        commit(seen_event(), seen_event(6, organization_id=2))
    assert published.take() == []


def test_publish_refuses_an_organization_without_a_stream(published: Published) -> None:
    open_streams()
    with pytest.raises(LookupError, match="Organization 2"), transaction.atomic():
        publish(hidden_event(organization_id=2))
    assert published.take() == []


def test_publish_refuses_a_contact_without_a_stream(published: Published) -> None:
    open_streams()
    with pytest.raises(LookupError, match="Contact 6"), transaction.atomic():
        publish(seen_event(6))
    assert published.take() == []


@pytest.mark.django_db(transaction=True)
def test_publish_leaves_no_gap_under_concurrency(published: Published) -> None:
    contacts = [5, 6, 7]
    open_streams(ORGANIZATION, 5)
    open_contact(ORGANIZATION, 6)
    open_contact(ORGANIZATION, 7)
    open_streams(2, 8)

    def work(seed: int) -> None:
        random = Random(seed)
        for _ in range(12):
            chosen = random.sample(contacts, random.choice([1, 1, 2]))
            events: list[Event] = [random.choice([seen_event, hidden_event])(c) for c in chosen]
            if random.random() < 0.2:
                events = [seen_event(8, organization_id=2)]
            with suppress(ZeroDivisionError), transaction.atomic():
                streams.lock_contacts(e.contact_id for e in events if e.contact_id)
                publish(*events)
                if random.random() < 0.25:
                    raise ZeroDivisionError

    together(*(lambda seed=seed: work(seed) for seed in range(8)))

    rows = list(StoredEvent.objects.order_by("organization_id", "seq"))
    for organization_id in (1, 2):
        seqs = [row.seq for row in rows if row.organization_id == organization_id]
        assert seqs == list(range(1, len(seqs) + 1))
        assert OrganizationStream.objects.get(pk=organization_id).seq == len(seqs)
    for contact_id in (*contacts, 8):
        order = [row.stream_seq for row in rows if row.contact_id == contact_id]
        # Also: within a contact, the organization's numbers rise with the stream's.
        assert order == list(range(1, len(order) + 1))
        assert ContactStream.objects.get(pk=contact_id).stream_seq == len(order)
    handed_over = {(event.organization_id, event.seq) for event in published.take()}
    assert handed_over == {(row.organization_id, row.seq) for row in rows}


@pytest.mark.django_db(transaction=True)
def test_publish_sees_what_a_concurrent_sender_left_pending(published: Published) -> None:
    """Nobody's `pending_from` overlooks what was committed while they waited for the lock."""
    open_streams()

    def work() -> None:
        for _ in range(5):
            commit(seen_event())

    together(*[work] * 6)
    events = published.take()
    assert {event.pending_from for event in events if event.stream_seq != 1} == {1}


def test_an_undeclared_field_fails_at_construction() -> None:
    with pytest.raises(ValueError, match="surprise"):
        ConversationReopened(**dict(seen_event()), surprise=1)  # type: ignore[call-arg]
