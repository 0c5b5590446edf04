"""Fixtures of every test: the real services that some of them need."""

import os
from collections.abc import Iterator
from typing import NoReturn

import pytest

from tests.services.redis import RedisServer
from tests.services.server import MissingProgramError


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """Yield one Redis per test process; whoever stops it starts it again."""
    try:
        server = RedisServer()
    except MissingProgramError as missing:
        _cannot_run(str(missing))
    with server:
        yield server


def _cannot_run(reason: str) -> NoReturn:
    """Skip the test, or fail it where every part is required."""
    if os.environ.get("KARIBU_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
