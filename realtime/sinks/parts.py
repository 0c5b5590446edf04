"""What the process lends its sinks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from realtime.bridge.interface import Bridge
from realtime.feed import Feed
from realtime.marks import Marks
from realtime.outgoing import Outgoing


@dataclass(frozen=True, slots=True)
class Parts:
    """`deliver` hands events of a sink's own to all sinks."""

    feed: Feed
    marks: Marks
    bridge: Bridge
    deliver: Callable[[Sequence[Outgoing]], None]
