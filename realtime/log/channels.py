"""Visitors' channels as streams: whose they are, and where they stand."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from realtime.log.read import get_epoch
from realtime.models import ContactStream, VisitorChannel

PREFIX = "visitor:"


@dataclass(frozen=True, slots=True)
class ChannelTop:
    """The stream's top. The epoch names the contact too: a merge changes it."""

    contact_id: int
    organization_id: int
    offset: int
    epoch: str
    revoked_at: datetime | None


def find(channel: str) -> ChannelTop | None:
    """None for what is no channel of a known visitor."""
    return list_tops([channel]).get(channel)


def list_tops(channels: Iterable[str]) -> dict[str, ChannelTop]:
    """The channels that exist, each with its top, read before anything else of a snapshot."""
    ids = [channel.removeprefix(PREFIX) for channel in channels if channel.startswith(PREFIX)]
    found = list(VisitorChannel.objects.filter(visitor_id__in=ids))
    streams = ContactStream.objects.filter(contact_id__in={row.contact_id for row in found})
    tops = dict(streams.values_list("contact_id", "stream_seq"))
    epoch = get_epoch()
    return {
        f"{PREFIX}{row.visitor_id}": ChannelTop(
            contact_id=row.contact_id,
            organization_id=row.organization_id,
            offset=tops[row.contact_id],
            epoch=f"{epoch}-{row.contact_id}",
            revoked_at=row.revoked_at,
        )
        for row in found
    }
