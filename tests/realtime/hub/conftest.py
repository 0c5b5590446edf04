"""A running spine for each test."""

from collections.abc import AsyncIterator

import pytest

from realtime import runtime
from realtime.runtime import Runtime


@pytest.fixture
async def process(transactional_db: None) -> AsyncIterator[Runtime]:
    running = await runtime.start()
    yield running
    await runtime.stop()
