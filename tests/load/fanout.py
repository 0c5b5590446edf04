"""What it costs the server to pass one event to one more agent's socket."""

import asyncio
from dataclasses import dataclass

from tests.load.clients import AgentClient, HttpClient
from tests.load.lab import Lab
from tests.load.latency import MESSAGES
from tests.load.population import Population
from tests.load.processes import LoadedServer
from tests.load.report import Figure
from tests.load.sending import CONTENT, Trace, send_at_rate

SOCKETS = 100
RATE = 100
SECONDS = 3
ARRIVAL_S = 2
"""Until everybody has been told that everybody has come."""


@dataclass(slots=True)
class Spread:
    """The server's CPU for a run of sends, and what came of them."""

    cpu_us: float
    deliveries: int


async def spread(server: LoadedServer, population: Population, sockets: int) -> Spread:
    """Visitors post at a steady rate while so many agents listen."""
    deliveries = 0

    def take(payload: bytes, arrived_at: int) -> None:
        nonlocal deliveries
        deliveries += b'"message.created"' in payload

    trace = Trace()
    agents = [
        await AgentClient.enter(server.port, population.agents[0], trace.take_agent_frame),
        *[
            await AgentClient.enter(server.port, token, take)
            for token in population.agents[1:sockets]
        ],
    ]
    poster = await HttpClient.open(server.port, MESSAGES, population.visitors[0].session_token)
    lock = asyncio.Lock()

    async def send(message_id: str) -> None:
        async with lock:
            trace.send(message_id)
            status, _ = await poster.post({"content": CONTENT, "client_message_id": message_id})
            trace.answer(message_id, status)

    await asyncio.sleep(ARRIVAL_S)
    before = server.usage()
    await send_at_rate(RATE, SECONDS, trace, send)
    after = server.usage()
    poster.close()
    for agent in agents:
        agent.close()
    deliveries += len(trace.arrived_at)
    if deliveries != len(trace.sent_at) * sockets:
        raise AssertionError(f"{deliveries} deliveries of {len(trace.sent_at)} to {sockets}.")
    return Spread((after.cpu_s - before.cpu_s) * 1e6, deliveries)


async def measure(lab: Lab, repeats: int) -> list[Figure]:
    """With many sockets and with one; the difference is what the sockets cost."""
    ground = lab.postgres
    whole, sockets_only, bare_whole, bare_sockets = [], [], [], []
    for _ in range(repeats):
        with ground.bare(storing=False) as bare:
            one = await spread(bare, ground.population, 1)
            many = await spread(bare, ground.population, SOCKETS)
            bare_whole.append(many.cpu_us / many.deliveries)
            bare_sockets.append(_difference(one, many))
        with ground.served() as product:
            one = await spread(product, ground.population, 1)
            many = await spread(product, ground.population, SOCKETS)
            whole.append(many.cpu_us / many.deliveries)
            sockets_only.append(_difference(one, many))
    return [
        Figure(
            name=f"fan-out to {SOCKETS} agents, all CPU by deliveries",
            unit="us",
            values=whole,
            ceilings=bare_whole,
            ceiling_is="a bare server that writes each POST to all sockets and stores nothing",
            goal=34,
        ),
        Figure(
            name="fan-out, one more socket",
            unit="us",
            values=sockets_only,
            ceilings=bare_sockets,
            ceiling_is="a bare server that writes each POST to all sockets and stores nothing",
        ),
    ]


def _difference(one: Spread, many: Spread) -> float:
    return (many.cpu_us - one.cpu_us) / (many.deliveries - one.deliveries)
