"""The product's settings, and one more sink that notes when transactions have committed."""

from project.settings import *  # noqa: F403 these are the product's own, whole
from project.settings import REALTIME_SINKS

REALTIME_SINKS = ["tests.load.stamps.CommitStamps", *REALTIME_SINKS]
