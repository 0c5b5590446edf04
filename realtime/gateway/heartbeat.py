"""Application-level pings: the clients tell a dead connection by their absence, so do we."""

import asyncio
import random
from collections.abc import Callable


class Heartbeat:
    """Pings until stopped; a ping that isn't answered in time calls `no_pong`, once."""

    __slots__ = ("_interval", "_no_pong", "_ping", "_pong_timeout", "_send", "_unanswered")

    def __init__(
        self,
        send: Callable[[], None],
        no_pong: Callable[[], None],
        *,
        interval: float,
        pong_timeout: float,
    ) -> None:
        self._send = send
        self._no_pong = no_pong
        self._interval = interval
        self._pong_timeout = pong_timeout
        self._unanswered: asyncio.TimerHandle | None = None
        # Spread over half an interval, so that a crowd that came at once isn't pinged at once.
        first = interval * random.uniform(0.5, 1)  # noqa: S311 not a secret
        self._ping = asyncio.get_running_loop().call_later(first, self._beat)

    def receive_pong(self) -> bool:
        """False when no ping was waiting for it."""
        if self._unanswered is None:
            return False
        self._unanswered.cancel()
        self._unanswered = None
        return True

    def stop(self) -> None:
        self._ping.cancel()
        if self._unanswered is not None:
            self._unanswered.cancel()

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        self._unanswered = loop.call_later(self._pong_timeout, self._no_pong)
        self._ping = loop.call_later(self._interval, self._beat)
        self._send()
