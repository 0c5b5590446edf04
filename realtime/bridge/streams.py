"""What the gateway asks of the event log and of presence."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from django.utils import timezone

from project import database
from realtime.gateway.options import GatewayOptions
from realtime.gateway.ports import Publication, Revoked, StreamPosition
from realtime.log import channels, read
from realtime.presence import Presence


class LoggedStreams:
    """Channels as the event log has them, so that recovery survives a restart.

    Remembers whose each subscribed channel is, since presence is told of channels only.
    """

    def __init__(self, presence: Presence, options: GatewayOptions) -> None:
        self._presence = presence
        self._options = options
        self._owners: dict[str, tuple[int, int]] = {}

    async def position(self, channel: str, issued_at: int) -> StreamPosition | None:
        top = await database.read(channels.find, channel)
        if top is None:
            return None
        if top.revoked_at is not None and issued_at <= top.revoked_at.timestamp():
            raise Revoked
        self._owners[channel] = (top.contact_id, top.organization_id)
        return StreamPosition(top.offset, top.epoch)

    async def since(self, channel: str, offset: int, limit: int) -> Sequence[Publication]:
        contact_id, _ = self._owners[channel]
        window = timezone.now() - timedelta(seconds=self._options.history_ttl)
        events = await database.read(
            read.list_visitor_after, contact_id, offset, limit=limit, since=window
        )
        return [
            Publication(event.stream_seq or 0, event.visitor_envelope().encode())
            for event in events
        ]

    def visitor_connected(self, user: str, channel: str) -> None:
        self._presence.visitor_arrived(*self._owners[channel])

    def visitor_disconnected(self, user: str, channel: str) -> None:
        contact_id, _ = self._owners[channel]
        self._presence.visitor_left(contact_id)

    def forget_all_but(self, channels: Collection[str]) -> None:
        """Not at a disconnect: another connection may be subscribing at that moment."""
        self._owners = {
            channel: owner for channel, owner in self._owners.items() if channel in channels
        }
