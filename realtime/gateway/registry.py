"""Which of this process's connections listen on which channel."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from realtime.gateway import metrics, replies
from realtime.gateway.codes import Close
from realtime.gateway.ports import PresenceStats, Publication, StreamPosition, Watch


class Member(Protocol):
    """A connection, as the registry sees it."""

    client: str
    user: str

    @property
    def queued_bytes(self) -> int: ...

    def deliver(self, channel: str, publication: Publication, message: replies.Message) -> None: ...

    def verify(self, channel: str, top: StreamPosition) -> None: ...

    def close(self, code: int, reason: str) -> None: ...


class Registry:
    """One per process, used on its event loop only.

    Listening starts before a subscription is answered, so that nothing published meanwhile is
    missed; presence starts with the answer.
    """

    def __init__(self, watch: Watch) -> None:
        self.sessions: set[Member] = set()
        self.draining = False
        self._watch = watch
        self._by_user: dict[str, set[Member]] = {}
        self._listeners: dict[str, set[Member]] = {}
        self._present: dict[str, dict[str, Member]] = {}
        metrics.CONNECTIONS.set_function(lambda: len(self.sessions))
        metrics.OUTBOX_BYTES.set_function(lambda: self.queued_bytes)

    @property
    def queued_bytes(self) -> int:
        """Read by the metrics' own thread, hence over a copy."""
        return sum(session.queued_bytes for session in tuple(self.sessions))

    @property
    def channels(self) -> tuple[str, ...]:
        """Every channel that somebody here listens on."""
        return tuple(self._listeners)

    def publish(self, channel: str, publication: Publication) -> None:
        """Deliver to the local listeners, who need a channel's publications in order of offset."""
        listeners = self._listeners.get(channel)
        if not listeners:
            return
        message = replies.publication_push(channel, publication)
        metrics.DELIVERIES.inc(len(listeners))
        for session in tuple(listeners):
            session.deliver(channel, publication, message)

    def verify(self, channel: str, top: StreamPosition) -> None:
        """Tell the listeners whom `top` proves to have missed something to subscribe again.

        A publication lost between processes shows by itself only when the next one leaves a gap.
        Centrifugo compares positions every 40 s for that reason (channel_position_check_delay).
        """
        for session in tuple(self._listeners.get(channel, ())):
            session.verify(channel, top)

    def disconnect(self, user: str, code: int, reason: str) -> None:
        """Close all of the user's connections. `reason`: plain words, at most 32 characters."""
        for session in tuple(self._by_user.get(user, ())):
            session.close(code, reason)

    def presence(self, channel: str) -> dict[str, str]:
        """The user of each subscribed connection, by client id."""
        present = self._present.get(channel, {})
        return {client: session.user for client, session in present.items()}

    def presence_stats(self, channels: Iterable[str]) -> dict[str, PresenceStats]:
        """An entry for every channel asked for, zeros where nobody is."""
        stats = {}
        for channel in channels:
            users = self.presence(channel).values()
            stats[channel] = PresenceStats(num_clients=len(users), num_users=len(set(users)))
        return stats

    async def drain(self, spread_s: float) -> None:
        """Take no new connections and close the others one by one over `spread_s` seconds.

        The clients reconnect at once, to another process or to the next one here; closing them all
        in one instant would bring them back in one instant.
        """
        self.draining = True
        pause = spread_s / max(1, len(self.sessions))
        while self.sessions:
            next(iter(self.sessions)).close(*Close.SHUTDOWN.value)
            await asyncio.sleep(pause)

    def add(self, session: Member) -> None:
        """Called when the connection has a user; until then nothing can be sent to it."""
        self.sessions.add(session)
        self._by_user.setdefault(session.user, set()).add(session)

    def remove(self, session: Member) -> None:
        """Called when the connection ends; it leaves its channels by itself."""
        self.sessions.discard(session)
        _discard(self._by_user, session.user, session)

    def listen(self, channel: str, session: Member) -> None:
        self._listeners.setdefault(channel, set()).add(session)

    def join(self, channel: str, session: Member) -> None:
        """Make a listener present."""
        present = self._present.setdefault(channel, {})
        present[session.client] = session
        if len(present) == 1:
            self._watch.visitor_connected(session.user, channel)

    def leave(self, channel: str, session: Member) -> None:
        """End listening and, where it had started, presence."""
        _discard(self._listeners, channel, session)
        present = self._present.get(channel, {})
        if present.pop(session.client, None) is None or present:
            return
        del self._present[channel]
        self._watch.visitor_disconnected(session.user, channel)


def _discard(groups: dict[str, set[Member]], key: str, session: Member) -> None:
    members = groups.get(key, set())
    members.discard(session)
    if not members:
        groups.pop(key, None)
