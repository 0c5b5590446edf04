"""Reading the log: for resume, for a gap, and for what has not been delivered."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import Min, Q

from realtime.models import Installation, OrganizationStream, StoredEvent, VisitorChannel
from realtime.outgoing import Outgoing


def get_epoch() -> str:
    """The name of this database's lifetime; made on first use."""
    return Installation.objects.get_or_create(pk=1)[0].epoch


def get_heads(organization_ids: Iterable[int]) -> dict[int, int]:
    """The highest `seq` of each organization; those without a stream are absent."""
    rows = OrganizationStream.objects.filter(organization_id__in=organization_ids)
    return dict(rows.values_list("organization_id", "seq"))


def get_oldest(organization_id: int) -> int | None:
    """The lowest `seq` still in the log; None when it's empty."""
    rows = StoredEvent.objects.filter(organization_id=organization_id)
    oldest: int | None = rows.aggregate(oldest=Min("seq"))["oldest"]
    return oldest


def list_after(
    organization_id: int, after: int, *, limit: int, up_to: int | None = None
) -> list[Outgoing]:
    """The organization's events with `after` < seq (<= `up_to`), in order."""
    rows = StoredEvent.objects.filter(organization_id=organization_id, seq__gt=after)
    if up_to is not None:
        rows = rows.filter(seq__lte=up_to)
    return [Outgoing.from_row(row) for row in rows.order_by("seq")[:limit]]


def list_of_conversation(conversation_id: int, after: int, *, limit: int) -> list[Outgoing]:
    """A conversation's durable events with seq > `after`, in order."""
    rows = StoredEvent.objects.filter(conversation_id=conversation_id, seq__gt=after)
    return [Outgoing.from_row(row) for row in rows.order_by("seq")[:limit]]


def list_visitor_after(
    contact_id: int, after: int, *, limit: int, since: datetime | None = None
) -> list[Outgoing]:
    """The contact's visitor events with `after` < stream_seq, none older than `since`, in order."""
    rows = StoredEvent.objects.filter(contact_id=contact_id, stream_seq__gt=after)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    return [Outgoing.from_row(row) for row in rows.order_by("stream_seq")[:limit]]


def list_visitor_pending(contact_id: int, *, after: int, limit: int) -> list[Outgoing]:
    """What has not been marked as sent to the contact's channels, in order, with the channels."""
    channels = list_channels([contact_id])[contact_id]
    rows = StoredEvent.objects.filter(
        contact_id=contact_id, visitor_pending=True, stream_seq__gt=after
    )
    return [Outgoing.from_row(row, channels) for row in rows.order_by("stream_seq")[:limit]]


def list_agents_pending(*, before: datetime, limit: int) -> list[Outgoing]:
    """Events older than `before` that agents have not got, without what visitors have got."""
    rows = StoredEvent.objects.filter(agents_pending=True, created_at__lt=before)
    return [
        replace(Outgoing.from_row(row), visitor_payload=None)
        for row in rows.order_by("organization_id", "seq")[:limit]
    ]


def list_visitors_pending(*, before: datetime, limit: int) -> list[Outgoing]:
    """Events older than `before` that visitors have not got, without what agents have got.

    Their times need not rise with their numbers, so `pending_from` names what of a contact's is
    still younger than `before`, and yet comes first.
    """
    pending = StoredEvent.objects.filter(visitor_pending=True)
    rows = list(pending.filter(created_at__lt=before).order_by("contact_id", "stream_seq")[:limit])
    contact_ids = {row.contact_id for row in rows if row.contact_id is not None}
    channels = list_channels(contact_ids)
    first = dict(
        pending.filter(contact_id__in=contact_ids)
        .values_list("contact_id")
        .annotate(first=Min("stream_seq"))
    )
    return [
        replace(
            Outgoing.from_row(row, channels[row.contact_id]),
            agent_payload=None,
            pending_from=first.get(row.contact_id),
        )
        for row in rows
    ]


def get_oldest_pending(*, before: datetime) -> datetime | None:
    """When the oldest undelivered event older than `before` was published."""
    pending = Q(agents_pending=True) | Q(visitor_pending=True)
    rows = StoredEvent.objects.filter(pending, created_at__lt=before)
    oldest: datetime | None = rows.aggregate(oldest=Min("created_at"))["oldest"]
    return oldest


def list_channels(contact_ids: Iterable[int]) -> defaultdict[int | None, tuple[str, ...]]:
    """The visitor channels of each contact."""
    found: defaultdict[int | None, tuple[str, ...]] = defaultdict(tuple)
    rows = VisitorChannel.objects.filter(contact_id__in=contact_ids)
    for visitor_id, contact_id in rows.values_list("visitor_id", "contact_id"):
        found[contact_id] += (f"visitor:{visitor_id}",)
    return found
