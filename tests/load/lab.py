"""The product on a database of the benchmark's own, filled, and a copy for the raw transaction."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import psycopg

from tests.load.job import Job
from tests.load.population import Population
from tests.load.processes import Bare, Product
from tests.services.postgres import PostgresServer

AGENTS = 100
VISITORS = 150
IDLERS = 2000
RAW_CLIENTS = (2, 10)
"""Few are fastest for one organization, whose sends wait for each other; ten are a server's."""
SAMPLE = """
SELECT agent_payload, visitor_payload FROM realtime_storedevent
WHERE type = 'message.created' ORDER BY id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Ground:
    product: Product
    population: Population
    job: Job
    clients: tuple[int, ...] = (1,)

    @contextmanager
    def served(self) -> Iterator[Product]:
        """The product's server, fresh, for as long as the block runs."""
        self.product.start()
        try:
            yield self.product
        finally:
            self.product.stop()

    @contextmanager
    def bare(self, *, storing: bool) -> Iterator[Bare]:
        """The bare server in the product's place."""
        with Bare(self.job if storing else None) as server:
            yield server

    def run_raw(self, seconds: float) -> float:
        """The rate of the raw transaction, with whichever number of clients does best."""
        jobs = [replace(self.job, clients=each) for each in self.clients]
        return max(self.product.run_raw(job, seconds=seconds) for job in jobs)


class Lab:
    """Makes each ground when a part first asks for it, and takes everything away at the end."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    @cached_property
    def postgres(self) -> Ground:
        """PostgreSQL with fsync, as it comes."""
        server = self._stack.enter_context(PostgresServer())
        product, population = self._populate(server.url)
        with psycopg.connect(server.url, autocommit=True) as connection:
            sample = connection.execute(SAMPLE).fetchone()
            connection.execute("CREATE DATABASE raw TEMPLATE postgres")
        raw = f"{server.url.rpartition('/')[0]}/raw"
        return Ground(product, population, _job(population, raw, sample), RAW_CLIENTS)

    @cached_property
    def sqlite(self) -> Ground:
        """The embedded default."""
        product, population = self._populate(None)
        raw = str(product.data / "raw.sqlite3")
        connection = sqlite3.connect(product.data / "karibu.sqlite3")
        sample = connection.execute(SAMPLE).fetchone()
        connection.execute("VACUUM INTO ?", [raw])
        connection.close()
        return Ground(product, population, _job(population, raw, sample))

    def _populate(self, database_url: str | None) -> tuple[Product, Population]:
        product = Product(database_url)
        self._stack.push(product)
        return product, product.populate(agents=AGENTS, visitors=VISITORS, idlers=IDLERS)


def _job(population: Population, database: str, sample: Any) -> Job:
    agent_payload, visitor_payload = sample
    return Job(
        database=database,
        organization_id=population.organization_id,
        site_id=population.site_id,
        contact_ids=[visitor.contact_id for visitor in population.visitors],
        agent_payload=agent_payload,
        visitor_payload=visitor_payload,
        clients=1,
    )
