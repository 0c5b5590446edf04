import asyncio
from dataclasses import dataclass, field
from typing import Any

from realtime.gateway.outbox import Outbox
from realtime.gateway.replies import Message


@dataclass
class Wire:
    """A server's `send` that stops taking anything while `blocked`, and fails when `broken`."""

    events: list[Any] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False
    dropped: int = 0

    def __post_init__(self) -> None:
        self.open.set()

    async def send(self, event: Any) -> None:
        await self.open.wait()
        if self.broken:
            raise OSError
        self.events.append(event)

    def drop(self) -> None:
        self.dropped += 1

    def outbox(self, limit: int = 100) -> Outbox:
        return Outbox(self.send, self.drop, limit=limit, close_deadline=0.03)

    @property
    def frames(self) -> list[str]:
        return [event["text"] for event in self.events if event["type"] == "websocket.send"]


def message(text: str) -> Message:
    return Message(text, len(text.encode()))


CLOSE = {"type": "websocket.close", "code": 3001, "reason": "shutdown"}


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_messages_go_out_in_order_and_no_task_stays() -> None:
    wire = Wire()
    outbox = wire.outbox()
    before = asyncio.all_tasks()
    outbox.put(message("a"))
    await settle()
    outbox.put(message("b"))
    await settle()
    assert wire.frames == ["a", "b"]
    assert asyncio.all_tasks() == before
    assert outbox.size == 0


async def test_messages_that_wait_share_frames_of_sixteen() -> None:
    wire = Wire()
    outbox = wire.outbox()
    for n in range(20):
        outbox.put(message(str(n)))
    await settle()
    assert wire.frames == ["\n".join(map(str, range(16))), "\n".join(map(str, range(16, 20)))]


async def test_size_counts_bytes_and_the_limit_itself_is_allowed() -> None:
    wire = Wire()
    wire.open.clear()
    outbox = wire.outbox(limit=6)
    assert outbox.put(message("éé"))
    assert outbox.put(message("xy"))
    assert not outbox.put(message("z"))
    assert outbox.size == 7


async def test_what_the_server_has_taken_is_not_counted() -> None:
    wire = Wire()
    wire.open.clear()
    outbox = wire.outbox(limit=6)
    outbox.put(message("123456"))
    await settle()
    assert outbox.size == 0
    assert outbox.put(message("123456"))


async def test_close_follows_what_is_queued_and_nothing_follows_it() -> None:
    wire = Wire()
    outbox = wire.outbox()
    outbox.put(message("last"))
    outbox.close(3001, "shutdown", flush=True)
    outbox.close(3005, "connection expired", flush=True)
    assert outbox.put(message("late"))
    await asyncio.sleep(0.05)
    assert wire.events == [{"type": "websocket.send", "text": "last"}, CLOSE]
    assert wire.dropped == 0


async def test_close_without_flush_forgets_what_is_queued() -> None:
    wire = Wire()
    outbox = wire.outbox()
    outbox.put(message("never sent"))
    outbox.close(3001, "shutdown", flush=False)
    await settle()
    assert wire.events == [CLOSE]
    assert outbox.size == 0


async def test_reader_that_comes_back_in_time_still_gets_the_close_frame() -> None:
    wire = Wire()
    wire.open.clear()
    outbox = wire.outbox()
    outbox.put(message("taken"))
    await settle()
    outbox.put(message("forgotten"))
    outbox.close(3001, "shutdown", flush=False)
    wire.open.set()
    await asyncio.sleep(0.05)
    assert wire.events == [{"type": "websocket.send", "text": "taken"}, CLOSE]
    assert wire.dropped == 0


async def test_deaf_reader_is_dropped_after_the_deadline() -> None:
    wire = Wire()
    wire.open.clear()
    outbox = wire.outbox()
    outbox.put(message("stuck"))
    outbox.close(3001, "shutdown", flush=False)
    await asyncio.sleep(0.01)
    assert wire.dropped == 0
    await asyncio.sleep(0.04)
    assert wire.dropped == 1
    outbox.discard()


async def test_broken_socket_takes_everything_silently() -> None:
    wire = Wire(broken=True)
    outbox = wire.outbox(limit=3)
    outbox.put(message("lost"))
    await settle()
    assert outbox.put(message("lost too"))
    outbox.close(3001, "shutdown", flush=True)
    await asyncio.sleep(0.05)
    assert (wire.events, outbox.size, wire.dropped) == ([], 0, 0)


async def test_discarded_outbox_stops_its_writer_and_deadline() -> None:
    wire = Wire()
    wire.open.clear()
    outbox = wire.outbox()
    before = asyncio.all_tasks()
    outbox.put(message("stuck"))
    outbox.close(3001, "shutdown", flush=True)
    await settle()
    outbox.discard()
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == before
    assert (wire.events, wire.dropped, outbox.size) == ([], 0, 0)
