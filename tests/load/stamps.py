"""When each event's transaction had committed, noted inside the server under load.

The clock is CLOCK_MONOTONIC, which all processes of a machine share, so the load generator can
subtract a stamp from the moment when its socket got the event.
"""

import time
from collections.abc import Sequence

from django.conf import settings

from realtime import delivery
from realtime.outgoing import Outgoing
from realtime.sinks.parts import Parts


class CommitStamps:
    """Delivers nothing: it stands before `delivery.hand_over`, which runs first after a commit."""

    def __init__(self, parts: Parts) -> None:
        # Unbuffered: the generator reads while the server runs.
        self._file = (settings.DATA_DIR / "stamps").open("ab", buffering=0)
        self._hand_over = delivery.hand_over
        delivery.hand_over = self._note

    def deliver(self, event: Outgoing) -> None:
        """Nothing: this sink only listens at the door."""

    async def run(self) -> None:
        """It has no loop of its own."""

    def _note(self, events: Sequence[Outgoing]) -> None:
        committed_at = time.monotonic_ns()
        self._hand_over(events)
        lines = [f"{event.event_id} {committed_at}\n" for event in events]
        self._file.write("".join(lines).encode())
