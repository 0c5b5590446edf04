"""What the agents' socket sends beside the catalogue's events, typed for the documentation.

The hub writes these frames as text; tests hold that text to these shapes.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from realtime.events import Shape


class HeadFrame(Shape):
    """Every few seconds, and where frames were skipped that the agent may not see.

    Take `seq` as the new position; a `prev` beyond the old one means that frames were missed.
    """

    type: Literal["head"]
    seq: int
    prev: int


class ResyncFrame(Shape):
    """The log cannot tell what the client missed: fetch all snapshots anew.

    The socket is live from `head` on, so a snapshot fetched after this frame leaves no gap.
    """

    type: Literal["resync"]
    epoch: str
    head: int


class Counts(Shape):
    """How many open conversations the agent sees in each view."""

    mine: int
    unassigned: int
    all: int


class CountsChangedFrame(Shape):
    """The counts of the socket's live list (`list.subscribe`) are no longer what it was told."""

    type: Literal["counts.changed"]
    event_id: UUID
    conversation_id: None
    data: Counts


class WelcomeAgent(Shape):
    """Who the socket acts as."""

    id: int
    name: str
    email: str
    role: Literal["owner", "admin", "supervisor", "agent"]
    status: Literal["available", "busy", "away"]
    organization_id: int


class Welcome(Shape):
    """The answer to `hello`, as `{id, ok, type: "welcome", data}`.

    `head` is the newest seq; `heartbeat_s` the pause between two `head` frames.
    """

    connection_id: str
    agent: WelcomeAgent
    epoch: str
    head: int
    heartbeat_s: int
    server_time: datetime


CONTROL_FRAMES: tuple[type[Shape], ...] = (HeadFrame, ResyncFrame, CountsChangedFrame)
