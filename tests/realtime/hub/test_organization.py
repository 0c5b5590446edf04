"""An organization's stream: whatever the layer does, sockets get it complete and in order."""

import asyncio
import json
from itertools import pairwise

import pytest

from project import database
from realtime.hub.frames import Frame
from realtime.hub.organization import OrganizationHub
from realtime.hub.socket import AgentSocket
from realtime.log import read
from realtime.runtime import Runtime
from tests.factories import say
from webchat.models import Organization
from webchat.principal import Agent, VisitorAccess

pytestmark = pytest.mark.django_db(transaction=True)


def seqs(socket: AgentSocket) -> list[int]:
    """Take what the socket was given, and check the chain of `prev`."""
    frames = [json.loads(text) for text in socket._outbox]
    for before, after in pairwise(frames):
        assert after["prev"] == before["seq"]
    return [frame["seq"] for frame in frames]


@pytest.fixture
def logged(visitor: VisitorAccess, organization: Organization) -> list[Frame]:
    """Six frames that are in the log."""
    for number in range(5):
        say(visitor, str(number))
    return [Frame.from_log(event) for event in read.list_after(organization.pk, 0, limit=10)]


def listening(organization: Organization, agent: Agent, head: int = 0) -> OrganizationHub:
    hub = OrganizationHub(organization.pk)
    hub.start(head)
    hub.sockets.add(AgentSocket(agent, head))
    return hub


async def test_frames_in_the_wrong_order_are_put_right_without_the_log(
    organization: Organization, agent: Agent, logged: list[Frame], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "list_after", lambda *_, **__: pytest.fail("read the log"))
    hub = listening(organization, agent)
    for place in (1, 0, 2, 5, 4, 3):
        hub.receive(logged[place])
    await asyncio.sleep(0.05)
    (socket,) = hub.sockets
    assert seqs(socket) == [1, 2, 3, 4, 5, 6]


async def test_frames_that_the_layer_lost_are_read_from_the_log(
    organization: Organization, agent: Agent, logged: list[Frame]
) -> None:
    hub = listening(organization, agent)
    hub.receive(logged[0])
    hub.receive(logged[4])
    await asyncio.sleep(0.2)
    (socket,) = hub.sockets
    assert seqs(socket) == [1, 2, 3, 4, 5]


async def test_last_frame_that_the_layer_lost_is_noticed_by_the_head(
    organization: Organization, agent: Agent, logged: list[Frame]
) -> None:
    hub = listening(organization, agent)
    hub.notice_head(6)
    await asyncio.sleep(0.2)
    (socket,) = hub.sockets
    assert seqs(socket) == [1, 2, 3, 4, 5, 6]


async def test_repetitions_are_passed_over(
    organization: Organization, agent: Agent, logged: list[Frame]
) -> None:
    hub = listening(organization, agent)
    for frame in [*logged[:3], *logged[:3], *logged]:
        hub.receive(frame)
    (socket,) = hub.sockets
    assert seqs(socket) == [1, 2, 3, 4, 5, 6]


async def test_frames_before_the_head_is_known_wait(
    organization: Organization, agent: Agent, logged: list[Frame]
) -> None:
    hub = OrganizationHub(organization.pk)
    hub.sockets.add(AgentSocket(agent, 2))
    for frame in logged[1:4]:
        hub.receive(frame)
    hub.start(2)
    (socket,) = hub.sockets
    assert seqs(socket) == [3, 4]


async def test_gap_below_the_log_moves_on_and_empties_the_memory(
    organization: Organization, agent: Agent, logged: list[Frame]
) -> None:
    hub = listening(organization, agent)
    hub.receive(logged[0])
    far = Frame(50, None, None, logged[0].audience, logged[0].body)
    hub.receive(far)
    await asyncio.sleep(0.2)
    assert hub.head == 50
    assert hub.since(3) is None


async def test_lost_frames_reach_sockets_of_a_running_process(
    process: Runtime,
    organization: Organization,
    agent: Agent,
    visitor: VisitorAccess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = await process.hub.join(organization.pk)
    socket = AgentSocket(agent, hub.head)
    process.hub.attach(hub, socket)
    monkeypatch.setattr(process.feed, "_handlers", {})
    await database.write(say, visitor, "lost on the way")
    await asyncio.sleep(0.1)
    assert seqs(socket) == []
    await process.hub._beat()
    await asyncio.sleep(0.2)
    assert [json.loads(text)["seq"] for text in socket._outbox if "head" not in text] == [1, 2]
