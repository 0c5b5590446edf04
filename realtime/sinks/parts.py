"""What the process lends its sinks."""

from dataclasses import dataclass

from realtime.bridge.interface import Bridge
from realtime.feed import Feed
from realtime.marks import Marks


@dataclass(frozen=True, slots=True)
class Parts:
    feed: Feed
    marks: Marks
    bridge: Bridge
