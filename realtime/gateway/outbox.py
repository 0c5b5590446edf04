"""What waits to be written to one socket: bounded, and without a task while nothing waits."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from realtime.gateway.replies import Message

MAX_MESSAGES_IN_FRAME = 16  # centrifuge writer.go


class Outbox:
    """Writes in order; a slow reader fills the queue, and its owner closes when `put` says so."""

    __slots__ = (
        "_close_deadline",
        "_closing",
        "_deadline",
        "_drop",
        "_limit",
        "_queue",
        "_send",
        "_writer",
        "size",
    )

    def __init__(
        self,
        send: Callable[[Any], Awaitable[None]],
        drop: Callable[[], None],
        *,
        limit: int,
        close_deadline: float,
    ) -> None:
        """`drop` is called when a closing socket doesn't take its close frame in time."""
        self.size = 0
        self._send = send
        self._drop = drop
        self._limit = limit
        self._close_deadline = close_deadline
        self._queue: deque[Message] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._closing: dict[str, Any] | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def put(self, message: Message) -> bool:
        """False when more than the limit is queued: the reader is too slow."""
        if self._closing is not None:
            return True
        self._queue.append(message)
        self.size += message.size
        self._wake()
        return self.size <= self._limit

    def close(self, code: int, reason: str, *, flush: bool) -> None:
        """Write the close frame, after what is queued where `flush`; nothing is taken any more."""
        if self._closing is not None:
            return
        if not flush:
            self._clear()
        self._closing = {"type": "websocket.close", "code": code, "reason": reason}
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._close_deadline, self._drop)
        self._wake()

    def discard(self) -> None:
        """Let go of everything; the socket is gone."""
        self._closing = self._closing or {}
        self._clear()
        if self._writer is not None:
            self._writer.cancel()
        self._cancel_deadline()

    def _wake(self) -> None:
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._queue:
                await self._send({"type": "websocket.send", "text": self._next_frame()})
            if self._closing:
                await self._send(self._closing)
                self._cancel_deadline()
        except Exception:  # noqa: BLE001 each server has its own way to say that the socket is gone
            # The reading side hears of it too, and ends the connection.
            self._closing = self._closing or {}
            self._clear()
        finally:
            self._writer = None

    def _next_frame(self) -> str:
        count = min(len(self._queue), MAX_MESSAGES_IN_FRAME)
        messages = [self._queue.popleft() for _ in range(count)]
        self.size -= sum(message.size for message in messages)
        return "\n".join(message.text for message in messages)

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def _clear(self) -> None:
        self._queue.clear()
        self.size = 0
