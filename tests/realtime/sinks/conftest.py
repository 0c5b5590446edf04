"""What a process lends its sinks, with a transport that records."""

import pytest

from realtime.feed import Feed
from realtime.marks import Marks
from realtime.sinks.parts import Parts
from tests.realtime.bridges import RecordingBridge


@pytest.fixture
def bridge() -> RecordingBridge:
    return RecordingBridge()


@pytest.fixture
def parts(bridge: RecordingBridge) -> Parts:
    return Parts(feed=Feed(), marks=Marks(), bridge=bridge, deliver=lambda _: None)
