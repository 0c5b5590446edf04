"""How many messages a second the product takes by REST."""

import json
from functools import partial
from itertools import count
from typing import Any

from tests.load.clients import AgentClient, HttpClient
from tests.load.lab import Ground, Lab
from tests.load.latency import MESSAGES
from tests.load.processes import LoadedServer
from tests.load.report import Figure
from tests.load.sending import CONTENT, send_all_the_time

SECONDS = 2.5
CONNECTIONS = 32
RAW = "the raw transaction without a web server"


class Witness:
    """An agent who must see every number once and in order, so that speed is not bought by loss."""

    def __init__(self) -> None:
        self.seqs: list[int] = []

    def take(self, payload: bytes, arrived_at: int) -> None:
        if b'"message.created"' in payload:
            self.seqs.append(json.loads(payload)["seq"])

    def check(self) -> None:
        if self.seqs != list(range(self.seqs[0], self.seqs[0] + len(self.seqs))):
            raise AssertionError("The agent's stream has a gap.")


async def send(server: LoadedServer, ground: Ground) -> float:
    """Sends a second of visitors who never pause, each on a connection of its own."""
    clients = [
        await HttpClient.open(server.port, MESSAGES, visitor.session_token)
        for visitor in ground.population.visitors[:CONNECTIONS]
    ]
    numbers = count()

    async def post(client: HttpClient) -> None:
        message_id = f"{id(numbers)}-{next(numbers)}"
        status, body = await client.post({"content": CONTENT, "client_message_id": message_id})
        if status != 201:
            raise AssertionError(f"A send was answered {status}: {body.decode()}")

    rate = await send_all_the_time([partial(post, client) for client in clients], SECONDS)
    for client in clients:
        client.close()
    return rate


async def measure_ground(ground: Ground, repeats: int) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {"product": [], "bare": [], "raw": []}
    for _ in range(repeats):
        rates["raw"].append(ground.run_raw(SECONDS))
        with ground.bare(storing=True) as bare:
            rates["bare"].append(await send(bare, ground))
        with ground.served() as product:
            witness = Witness()
            agent = await AgentClient.enter(product.port, ground.population.agents[0], witness.take)
            rates["product"].append(await send(product, ground))
            agent.close()
            witness.check()
    return rates


async def measure(lab: Lab, repeats: int) -> list[Figure]:
    postgres = await measure_ground(lab.postgres, repeats)
    sqlite = await measure_ground(lab.sqlite, repeats)
    pairs = zip(postgres["product"], postgres["raw"], strict=True)
    shares = [100 * product / raw for product, raw in pairs]
    return [
        _rate("sends, PostgreSQL", postgres["product"], postgres["raw"], goal=700),
        Figure(name="sends, share of the raw", unit="%", values=shares, sense=">=", goal=40),
        _rate("sends, bare server on PostgreSQL", postgres["bare"], postgres["raw"]),
        _rate("sends, SQLite", sqlite["product"], sqlite["raw"], goal=400),
        _rate("sends, bare server on SQLite", sqlite["bare"], sqlite["raw"]),
    ]


def _rate(name: str, values: list[float], raw: list[float], goal: float | None = None) -> Figure:
    parts: dict[str, Any] = {"unit": "/s", "sense": ">=", "ceiling_is": RAW}
    return Figure(name=name, values=values, ceilings=raw, goal=goal, **parts)
