"""A world and a session in it, for each test."""

import pytest

from realtime.gateway.session import Session
from tests.realtime.gateway.fakes import RecordingSender, World, connection_token


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def sender() -> RecordingSender:
    return RecordingSender()


@pytest.fixture
async def fresh(world: World, sender: RecordingSender) -> Session:
    """A session that has not connected."""
    return Session(world.gateway, sender)


@pytest.fixture
async def session(fresh: Session, sender: RecordingSender) -> Session:
    """A session of visitor v1."""
    await fresh.receive('{"id":1,"connect":{"token":"' + connection_token() + '"}}')
    assert "connect" in sender.take()[0]
    return fresh
