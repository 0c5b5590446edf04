"""Sends at a rate, or as many as go, and when they arrived."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from secrets import token_hex
from statistics import quantiles
from typing import Any

CONTENT = "Where is my parcel? It was to arrive on Tuesday, order number 4711."
WARM_UP_S = 1.0
ARRIVAL_TIMEOUT_S = 10
NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Trace:
    """When each message, by its client id, was sent and came; nanoseconds.

    Only messages `from_id` on count: those before warmed the server up.
    """

    sent_at: dict[str, int] = field(default_factory=dict)
    answered_at: dict[str, int] = field(default_factory=dict)
    arrived_at: dict[str, int] = field(default_factory=dict)
    event_ids: dict[str, str] = field(default_factory=dict)
    refused: int = 0

    def send(self, message_id: str) -> None:
        self.sent_at[message_id] = time.monotonic_ns()

    def answer(self, message_id: str, status: int) -> None:
        self.answered_at[message_id] = time.monotonic_ns()
        if status != 201:
            self.refused += 1

    def is_waiting(self) -> bool:
        return bool(self.sent_at.keys() - self.arrived_at.keys())

    def take_agent_frame(self, payload: bytes, arrived_at: int) -> None:
        """A frame of an agent's socket, or of the bare server's."""
        if b'"message.created"' in payload:
            frame = json.loads(payload)
            message_id = frame["data"]["client_message_id"]
            self.arrived_at[message_id] = arrived_at
            self.event_ids[message_id] = frame.get("event_id", "")

    def take_visitor_frame(self, payload: bytes, arrived_at: int) -> None:
        """A frame of a visitor's socket: one message a line."""
        if b'"message.new"' in payload:
            for line in payload.splitlines():
                data = json.loads(line)["push"]["pub"]["data"]
                self.arrived_at[data["data"]["client_message_id"]] = arrived_at
                self.event_ids[data["data"]["client_message_id"]] = data["event_id"]

    def delays_ms(self, begins: dict[str, int], ends: dict[str, int] | None = None) -> list[float]:
        """From `begins` to the arrival, or to `ends`; raises LookupError where one never came."""
        ends = self.arrived_at if ends is None else ends
        lost = begins.keys() - ends.keys()
        if lost:
            raise LookupError(f"{len(lost)} of {len(begins)} messages never arrived.")
        return [(ends[each] - begun) / NS_PER_MS for each, begun in begins.items()]


async def send_at_rate(
    rate: float, seconds: float, trace: Trace, send: Callable[[str], Awaitable[None]]
) -> dict[str, int]:
    """One send in each slot of 1/rate seconds, at a random moment of it, whatever is answered.

    Returns when those were sent that count: without the first second, which warms caches
    and prepared statements up.
    """
    loop = asyncio.get_running_loop()
    random = Random(rate)
    run = token_hex(4)  # Not a number of this process: a message id seen before is a repetition.
    began = loop.time()
    sends = []
    for number in range(int(rate * (WARM_UP_S + seconds))):
        await asyncio.sleep(began + (number + random.random()) / rate - loop.time())
        sends.append(asyncio.ensure_future(send(f"{number}-{run}")))
    await asyncio.gather(*sends)
    deadline = loop.time() + ARRIVAL_TIMEOUT_S
    while trace.is_waiting() and loop.time() < deadline:  # noqa: ASYNC110 nobody else is here
        await asyncio.sleep(0.1)
    counted = list(trace.sent_at.items())[int(rate * WARM_UP_S) :]
    return dict(counted)


async def send_all_the_time(
    senders: Sequence[Callable[[], Awaitable[Any]]], seconds: float
) -> float:
    """Each sender goes on as soon as it has its answer; returns answers a second."""
    began = time.monotonic() + WARM_UP_S
    ends = began + seconds

    async def go_on(send: Callable[[], Awaitable[Any]]) -> int:
        counted = 0
        while time.monotonic() < ends:
            await send()
            counted += began < time.monotonic() < ends
        return counted

    return sum(await asyncio.gather(*map(go_on, senders))) / seconds


def p50(values: Sequence[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[49]


def p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[98]
