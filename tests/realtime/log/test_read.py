from datetime import timedelta

import pytest
from django.db import transaction

from realtime import streams
from realtime.events import Event
from realtime.log import channels, read
from realtime.log.trim import trim
from realtime.models import Installation, StoredEvent
from realtime.outgoing import Outgoing
from realtime.publish import publish
from tests.conftest import Published
from tests.realtime.samples import (
    CONTACT,
    CONVERSATION,
    NOW,
    ORGANIZATION,
    hidden_event,
    open_contact,
    open_streams,
    seen_event,
)

pytestmark = pytest.mark.django_db

OTHER = 6


@pytest.fixture
def events(published: Published) -> list[Outgoing]:
    """Six events, a minute between them: seen, hidden, of another contact, seen, hidden, seen."""
    open_streams(ORGANIZATION, CONTACT, "first", "second")
    open_contact(ORGANIZATION, OTHER)
    times = [NOW + timedelta(minutes=number) for number in range(6)]
    commit(
        seen_event(at=times[0]),
        hidden_event(at=times[1]),
        seen_event(OTHER, at=times[2]),
        seen_event(at=times[3]),
        hidden_event(at=times[4]),
        seen_event(at=times[5]),
    )
    open_streams(2, 8)
    commit(seen_event(8, organization_id=2))
    return published.take()[:6]


def commit(*events: Event) -> None:
    with transaction.atomic():
        streams.lock_contacts({event.contact_id for event in events if event.contact_id})
        publish(*events)


def seqs(found: list[Outgoing]) -> list[int | None]:
    return [event.seq for event in found]


class TestAgents:
    def test_list_after_pages_through_the_organization(self, events: list[Outgoing]) -> None:
        assert seqs(read.list_after(ORGANIZATION, 0, limit=4)) == [1, 2, 3, 4]
        assert seqs(read.list_after(ORGANIZATION, 4, limit=4)) == [5, 6]
        assert seqs(read.list_after(ORGANIZATION, 6, limit=4)) == []
        assert seqs(read.list_after(ORGANIZATION, 1, limit=9, up_to=4)) == [2, 3, 4]

    def test_list_after_gives_the_same_bytes_again(self, events: list[Outgoing]) -> None:
        again = read.list_after(ORGANIZATION, 0, limit=9)
        assert [event.agent_frame() for event in again] == [e.agent_frame() for e in events]

    def test_list_of_conversation_is_of_it_alone(self, events: list[Outgoing]) -> None:
        StoredEvent.objects.filter(seq=3, organization_id=ORGANIZATION).update(conversation_id=1)
        StoredEvent.objects.filter(organization_id=2).update(conversation_id=1)
        assert seqs(read.list_of_conversation(CONVERSATION, 1, limit=3)) == [2, 4, 5]

    def test_heads_are_of_the_organizations_that_have_a_stream(
        self, events: list[Outgoing]
    ) -> None:
        assert read.get_heads([ORGANIZATION, 2, 3]) == {ORGANIZATION: 6, 2: 1}

    def test_oldest_is_of_the_organization(self, events: list[Outgoing]) -> None:
        StoredEvent.objects.filter(organization_id=ORGANIZATION, seq__lt=3).delete()
        assert read.get_oldest(ORGANIZATION) == 3
        assert read.get_oldest(3) is None


class TestVisitors:
    def test_list_visitor_after_is_the_contacts_stream(self, events: list[Outgoing]) -> None:
        found = read.list_visitor_after(CONTACT, 1, limit=9)
        assert [event.stream_seq for event in found] == [2, 3]
        assert [event.visitor_envelope() for event in found] == [
            events[3].visitor_envelope(),
            events[5].visitor_envelope(),
        ]
        assert len(read.list_visitor_after(CONTACT, 0, limit=2)) == 2

    def test_list_visitor_after_ends_at_the_window(self, events: list[Outgoing]) -> None:
        since = NOW + timedelta(minutes=3)
        found = read.list_visitor_after(CONTACT, 0, limit=9, since=since)
        assert [event.stream_seq for event in found] == [2, 3]

    def test_list_visitor_pending_tells_the_channels_of_now(self, events: list[Outgoing]) -> None:
        StoredEvent.objects.filter(seq=4).update(visitor_pending=False)
        streams.open_channel("third", CONTACT, ORGANIZATION)
        found = read.list_visitor_pending(CONTACT, after=0, limit=9)
        assert [event.stream_seq for event in found] == [1, 3]
        assert {frozenset(event.channels) for event in found} == {
            frozenset({"visitor:first", "visitor:second", "visitor:third"})
        }


class TestPending:
    def test_what_is_older_is_listed_for_each_reader(self, events: list[Outgoing]) -> None:
        before = NOW + timedelta(minutes=3)
        agents = read.list_agents_pending(before=before, limit=9)
        assert [(e.organization_id, e.seq) for e in agents] == [(1, 1), (1, 2), (1, 3), (2, 1)]
        assert {event.visitor_payload for event in agents} == {None}
        visitors = read.list_visitors_pending(before=before, limit=9)
        assert [(e.contact_id, e.stream_seq) for e in visitors] == [
            (CONTACT, 1),
            (OTHER, 1),
            (8, 1),
        ]
        assert {event.agent_payload for event in visitors} == {None}

    def test_a_contacts_first_is_named_though_it_is_younger(self, events: list[Outgoing]) -> None:
        rows = StoredEvent.objects.filter(contact_id=CONTACT)
        rows.filter(stream_seq=1).update(visitor_pending=False)
        rows.filter(stream_seq=3).update(created_at=NOW)
        found = read.list_visitors_pending(before=NOW + timedelta(minutes=1), limit=1)
        assert [(event.stream_seq, event.pending_from) for event in found] == [(3, 2)]

    def test_oldest_is_the_oldest_of_both(self, events: list[Outgoing]) -> None:
        late = NOW + timedelta(hours=1)
        assert read.get_oldest_pending(before=late) == NOW
        StoredEvent.objects.filter(seq__lte=3).update(agents_pending=False, visitor_pending=False)
        assert read.get_oldest_pending(before=late) == NOW + timedelta(minutes=3)
        assert read.get_oldest_pending(before=NOW + timedelta(minutes=3)) is None


def test_epoch_is_made_once_and_stays(db: None) -> None:
    epoch = read.get_epoch()
    assert read.get_epoch() == epoch
    assert Installation.objects.get().epoch == epoch


class TestChannels:
    def test_tops_name_the_contact_in_the_epoch(self, events: list[Outgoing]) -> None:
        tops = channels.list_tops(["visitor:first", "visitor:unknown", "first", "agents:first"])
        assert list(tops) == ["visitor:first"]
        top = tops["visitor:first"]
        assert (top.contact_id, top.organization_id, top.offset) == (CONTACT, ORGANIZATION, 3)
        assert top.epoch == f"{read.get_epoch()}-{CONTACT}"
        assert top.revoked_at is None
        assert channels.find("visitor:first") == top
        assert channels.find("visitor:unknown") is None


class TestTrim:
    def test_delivered_events_of_old_go(self, events: list[Outgoing]) -> None:
        StoredEvent.objects.update(agents_pending=False, visitor_pending=False)
        assert trim(before=NOW + timedelta(minutes=3)) == 4
        assert seqs(read.list_after(ORGANIZATION, 0, limit=9)) == [4, 5, 6]
        assert read.get_heads([ORGANIZATION]) == {ORGANIZATION: 6}
        assert trim(before=NOW + timedelta(minutes=3)) == 0

    def test_what_is_undelivered_stays(self, events: list[Outgoing]) -> None:
        assert trim(before=NOW + timedelta(days=1)) == 0
        StoredEvent.objects.update(agents_pending=False)
        assert trim(before=NOW + timedelta(days=1)) == 2
        StoredEvent.objects.update(agents_pending=True, visitor_pending=False)
        assert trim(before=NOW + timedelta(days=1)) == 0

    def test_goes_by_batches(self, events: list[Outgoing], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("realtime.log.trim.BATCH", 4)
        StoredEvent.objects.update(agents_pending=False, visitor_pending=False)
        late = NOW + timedelta(days=1)
        assert [trim(before=late), trim(before=late), trim(before=late)] == [4, 3, 0]

    def test_numbers_go_on_where_they_were(
        self, events: list[Outgoing], published: Published
    ) -> None:
        StoredEvent.objects.all().delete()
        commit(seen_event())
        [event] = published.take()
        assert (event.seq, event.stream_seq, event.pending_from) == (7, 4, None)
