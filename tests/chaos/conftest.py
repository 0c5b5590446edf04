"""A server to maltreat, and the seed of how."""

import os
from collections.abc import Iterator
from random import Random, SystemRandom

import pytest

from tests.chaos.world import AGENTS
from tests.services.karibu import KaribuServer

DATABASE_URL = os.environ.get("DATABASE_URL")
collect_ignore = [] if DATABASE_URL else ["test_database_away.py"]  # SQLite is never away
COMMIT_DELAY_MS = 5
"""So that a death between an event's storing and its commit is not too rare to be met."""


@pytest.fixture(scope="session")
def installation() -> Iterator[KaribuServer]:
    with KaribuServer(
        database_url=DATABASE_URL, agents=AGENTS, commit_delay_ms=COMMIT_DELAY_MS
    ) as server:
        yield server


@pytest.fixture
def erring_server(installation: KaribuServer) -> KaribuServer:
    """Give the running server to a test that makes it complain."""
    if not installation.is_running:
        installation.start()
    return installation


@pytest.fixture
def server(erring_server: KaribuServer) -> Iterator[KaribuServer]:
    """Yield the running server; whatever is done to it, its log must not tell of a defect."""
    known = len(erring_server.errors())
    yield erring_server
    assert erring_server.errors()[known:] == []


@pytest.fixture
def random() -> Random:
    """Decide what happens when. A failed test shows the seed, to be set as CHAOS_SEED."""
    seed = int(os.environ.get("CHAOS_SEED") or SystemRandom().randrange(2**32))
    print(f"CHAOS_SEED={seed}")  # noqa: T201 pytest shows it with a failure
    return Random(seed)
