"""How long a message takes from one side's hand to the other side's socket."""

import asyncio
import json
from dataclasses import dataclass, field
from itertools import cycle

from tests.load.clients import AgentClient, HttpClient, VisitorClient
from tests.load.lab import Lab
from tests.load.population import Population
from tests.load.processes import LoadedServer, Product
from tests.load.report import Figure
from tests.load.sending import CONTENT, Trace, p50, p99, send_at_rate

SECONDS = 4
RATES = (50, 200)
AGENTS = 8
"""Sockets that agents write from; each may send 50 frames a second."""
GOALS: dict[int, tuple[float, float]] = {50: (6, 25), 200: (10, 50)}
COMMIT_GOALS: dict[int, tuple[float, float]] = {200: (3, 30)}
CEILING = "a bare server that stores by the same two statements, from POST to socket"
WRITERS = 100
"""The other visitors only listen: what one has just written holds back what follows."""
MESSAGES = "/v1/webchat/messages"


@dataclass(slots=True)
class Samples:
    """Medians and 99th percentiles in ms, one per repeat."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)

    def add(self, delays_ms: list[float]) -> None:
        self.p50.append(p50(delays_ms))
        self.p99.append(p99(delays_ms))


async def visitor_to_agent(
    server: LoadedServer, population: Population, rate: float
) -> tuple[Trace, dict[str, int]]:
    """Visitors post, one agent's socket is watched, others of the same organization listen."""
    trace = Trace()
    watched = await AgentClient.enter(server.port, population.agents[0], trace.take_agent_frame)
    others = [await AgentClient.enter(server.port, each) for each in population.agents[1:AGENTS]]
    posts = [
        await HttpClient.open(server.port, MESSAGES, visitor.session_token)
        for visitor in population.visitors[:WRITERS]
    ]
    idle: asyncio.Queue[HttpClient] = asyncio.Queue()
    for post in posts:
        idle.put_nowait(post)

    async def send(message_id: str) -> None:
        trace.send(message_id)  # Waiting for a visitor who is free would be the server's fault.
        post = await idle.get()
        status, _ = await post.post({"content": CONTENT, "client_message_id": message_id})
        trace.answer(message_id, status)
        idle.put_nowait(post)

    counted = await send_at_rate(rate, SECONDS, trace, send)
    for post in posts:
        post.close()
    for agent in (watched, *others):
        agent.close()
    return trace, counted


async def agent_to_visitor(
    server: Product, population: Population, rate: float
) -> tuple[Trace, dict[str, int]]:
    """Agents write by their sockets to visitors who only listen."""
    trace = Trace()
    agents = [await AgentClient.enter(server.port, each) for each in population.agents[:AGENTS]]
    listening = population.visitors[WRITERS:]
    visitors = [
        await VisitorClient.enter(server.port, each, trace.take_visitor_frame) for each in listening
    ]
    ways = cycle(zip(cycle(agents), listening, strict=False))

    async def send(message_id: str) -> None:
        agent, visitor = next(ways)
        data = {
            "conversation_id": visitor.conversation_id,
            "content": CONTENT,
            "client_message_id": message_id,
        }
        trace.send(message_id)
        agent.send(json.dumps({"id": message_id, "type": "message.send", "data": data}))

    counted = await send_at_rate(rate, SECONDS, trace, send)
    for client in (*agents, *visitors):
        client.close()
    return trace, counted


async def measure(lab: Lab, repeats: int) -> list[Figure]:
    """Both directions at each rate, and the bare server that does the same transaction."""
    ground, population = lab.postgres, lab.postgres.population
    bare = {rate: Samples() for rate in RATES}
    inbound = {rate: Samples() for rate in RATES}
    outbound = {rate: Samples() for rate in RATES}
    commits = {rate: Samples() for rate in RATES}
    for _ in range(repeats):
        with ground.bare(storing=True) as server:
            for rate in RATES:
                trace, counted = await visitor_to_agent(server, population, rate)
                bare[rate].add(trace.delays_ms(counted))
        with ground.served() as product:
            for rate in RATES:
                trace, counted = await visitor_to_agent(product, population, rate)
                inbound[rate].add(trace.delays_ms(counted))
                commits[rate].add(_since_commit(product, trace, counted))
                trace, counted = await agent_to_visitor(product, population, rate)
                outbound[rate].add(trace.delays_ms(counted))
    figures = []
    for rate in RATES:
        figures += _figures(f"visitor to agent, {rate}/s", inbound[rate], bare[rate], GOALS[rate])
        figures += _figures(f"agent to visitor, {rate}/s", outbound[rate], bare[rate], GOALS[rate])
    for rate in RATES:
        name = f"commit to agent's socket, {rate}/s"
        figures += _figures(name, commits[rate], None, COMMIT_GOALS.get(rate, (None, None)))
    return figures


def _since_commit(product: Product, trace: Trace, counted: dict[str, int]) -> list[float]:
    stamps = product.read_stamps()
    committed_at = {each: stamps[trace.event_ids[each]] for each in counted}
    return trace.delays_ms(committed_at)


def _figures(
    name: str, samples: Samples, bare: Samples | None, goals: tuple[float | None, float | None]
) -> list[Figure]:
    return [
        Figure(
            name=f"{name}, {what}",
            unit="ms",
            values=getattr(samples, what),
            ceilings=[] if bare is None else getattr(bare, what),
            ceiling_is="" if bare is None else CEILING,
            goal=goal,
        )
        for what, goal in zip(("p50", "p99"), goals, strict=True)
    ]
