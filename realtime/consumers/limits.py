"""How many frames an agent's socket may send: bursts are fine, floods are not."""

import math
import time

BURST = 100
PER_SECOND = 50


class FrameBudget:
    """A token bucket."""

    def __init__(self) -> None:
        self._tokens = float(BURST)
        self._at = time.monotonic()

    def spend(self) -> int:
        """Pay for one frame. Returns 0, or the seconds to wait when the budget is overdrawn."""
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._at) * PER_SECOND)
        self._at = now
        if self._tokens < 1:
            return math.ceil(BURST / PER_SECOND)
        self._tokens -= 1
        return 0
