"""One agent's socket, as the hub sees it: who it is, what it sees, and its bounded outbox."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from prometheus_client import Counter

from realtime.close_codes import CloseCode
from realtime.events import Audience
from realtime.hub.frames import Frame, head_text
from webchat.principal import Agent

OUTBOX_FRAMES = 256
OUTBOX_BYTES = 512 * 1024
OPEN_CONVERSATIONS = 50

OVERFLOWS = Counter("karibu_agent_socket_overflows", "Sockets closed because their reader was slow")


class Wire(Protocol):
    """The way out to the client."""

    async def send_text(self, text: str) -> None: ...


class AgentSocket:
    """Frames go in without waiting; one task writes them out as fast as the reader takes them.

    `position` is the last seq that went into the outbox, hence the next numbered frame's `prev`.
    """

    def __init__(self, agent: Agent, position: int) -> None:
        self.agent = agent
        self.position = position
        self.list_counts: dict[str, int] | None = None
        """The counts that the client of a live list knows; None where it has no list."""
        self.opened: deque[int] = deque(maxlen=OPEN_CONVERSATIONS)
        self.viewing: int | None = None
        self.closing: tuple[CloseCode, str] | None = None
        self.on_closing: Callable[[], object] = lambda: None
        """Called once, when the socket is to be closed and may have to be pushed to it."""
        self._outbox: deque[str] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()

    def open_conversation(self, conversation_id: int) -> None:
        if conversation_id not in self.opened:
            self.opened.append(conversation_id)

    def hears(self, frame: Frame) -> bool:
        """Whether the frame is for this agent."""
        sites = self.agent.site_ids
        if sites is not None and frame.site_id is not None and frame.site_id not in sites:
            return False
        return frame.audience is not Audience.CONVERSATION or frame.conversation_id in self.opened

    def push(self, frame: Frame) -> None:
        """Queue an event; overflow closes the socket instead of dropping anything silently."""
        self.push_text(frame.text(self.position))
        if frame.seq is not None:
            self.position = frame.seq

    def push_head(self, seq: int) -> None:
        self.push_text(head_text(seq, self.position))
        self.position = seq

    def push_text(self, text: str) -> None:
        if self.closing is not None:
            return
        self._outbox.append(text)
        self._bytes += len(text)
        if len(self._outbox) > OUTBOX_FRAMES or self._bytes > OUTBOX_BYTES:
            OVERFLOWS.inc()
            self._outbox.clear()
            self.close(CloseCode.TOO_SLOW, "reader too slow")
        self._wake.set()

    def close(self, code: CloseCode, reason: str) -> None:
        """End the socket after what is queued; the first reason counts."""
        if self.closing is None:
            self.closing = (code, reason)
            self._wake.set()
            self.on_closing()

    async def write(self, wire: Wire) -> tuple[CloseCode, str]:
        """Write until the socket is to be closed; returns why."""
        while True:
            while self._outbox:
                text = self._outbox.popleft()
                self._bytes -= len(text)
                await wire.send_text(text)
            if self.closing is not None:
                return self.closing
            self._wake.clear()
            await self._wake.wait()
