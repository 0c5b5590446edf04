"""Who is here: leases, not counters."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from django.utils import timezone

from project import database
from realtime import runtime
from realtime.models import AgentPresence, VisitorPresence
from realtime.presence import Presence
from realtime.runtime import Runtime
from tests.conftest import Published
from webchat import tasks
from webchat.principal import Agent, VisitorAccess
from webchat.services import presence as service

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def process(transactional_db: None) -> AsyncIterator[Runtime]:
    running = await runtime.start()
    yield running
    await runtime.stop()


async def test_first_connection_is_told_and_a_second_tab_is_not(
    visitor: VisitorAccess, published: Published
) -> None:
    presence = Presence()
    for _ in range(2):
        presence.visitor_arrived(visitor.contact_id, visitor.organization_id)
        await presence.flush()
    assert published.types() == ["visitor.connected"]


async def test_visitor_is_gone_only_after_the_grace(
    visitor: VisitorAccess, published: Published
) -> None:
    presence = Presence()
    presence.visitor_arrived(visitor.contact_id, visitor.organization_id)
    await presence.flush()
    presence.visitor_left(visitor.contact_id)
    await presence.flush()
    published.take()
    now = timezone.now()
    assert await database.write(service.sweep, now=now + timedelta(seconds=119)) == 0
    assert await database.write(service.sweep, now=now + timedelta(seconds=121)) == 1
    (event,) = published.take()
    assert event.type == "visitor.disconnected"
    assert not await database.read(VisitorPresence.objects.exists)


async def test_visitor_who_is_back_within_the_grace_was_never_gone(
    visitor: VisitorAccess, published: Published
) -> None:
    presence = Presence()
    presence.visitor_arrived(visitor.contact_id, visitor.organization_id)
    await presence.flush()
    presence.visitor_left(visitor.contact_id)
    await presence.flush()
    await database.write(_age_by, 100)
    presence.visitor_arrived(visitor.contact_id, visitor.organization_id)
    await presence.flush()
    later = timezone.now() + timedelta(seconds=110)
    assert await database.write(service.sweep, now=later) == 0
    assert published.types() == ["visitor.connected"]


async def test_one_tab_of_two_closing_is_no_leaving(
    visitor: VisitorAccess, published: Published
) -> None:
    presence = Presence()
    for _ in range(2):
        presence.visitor_arrived(visitor.contact_id, visitor.organization_id)
    presence.visitor_left(visitor.contact_id)
    await presence.flush()
    presence.renew()
    await presence.flush()
    assert visitor.contact_id in presence._visitors
    later = timezone.now() + timedelta(seconds=110)
    assert await database.write(service.sweep, now=later) == 0


async def test_other_process_keeps_a_visitor_present(
    visitor: VisitorAccess, published: Published
) -> None:
    here, there = Presence(), Presence()
    for presence in (here, there):
        presence.visitor_arrived(visitor.contact_id, visitor.organization_id)
        await presence.flush()
    here.visitor_left(visitor.contact_id)
    await here.flush()
    await database.write(_age_by, 119)
    there.renew()
    await there.flush()
    later = timezone.now() + timedelta(seconds=60)
    assert await database.write(service.sweep, now=later) == 0
    assert published.types() == ["visitor.connected"]


async def test_everybody_connected_is_back_after_an_outage_longer_than_the_grace(
    agent: Agent, visitor: VisitorAccess, published: Published
) -> None:
    presence = Presence()
    presence.visitor_arrived(visitor.contact_id, visitor.organization_id)
    presence.agent_arrived(agent)
    await presence.flush()
    later = timezone.now() + timedelta(seconds=300)
    assert await database.write(service.sweep, now=later) == 2
    published.take()
    presence.renew()
    await presence.flush()
    assert sorted(published.types()) == ["presence.changed", "visitor.connected"]


async def test_agent_goes_offline_after_the_grace(agent: Agent, published: Published) -> None:
    presence = Presence()
    presence.agent_arrived(agent)
    await presence.flush()
    presence.agent_left(agent, viewing=None)
    await presence.flush()
    now = timezone.now()
    assert await database.write(service.sweep, now=now + timedelta(seconds=44)) == 0
    assert await database.write(service.sweep, now=now + timedelta(seconds=46)) == 1
    events = published.take()
    assert ['"available"' in (e.agent_payload or "") for e in events] == [True, False]
    assert '"offline"' in (events[1].agent_payload or "")
    assert not await database.read(AgentPresence.objects.exists)


def test_sweep_task_takes_the_lease_once(visitor: VisitorAccess, published: Published) -> None:
    old = timezone.now() - timedelta(seconds=200)
    for contact_id in (visitor.contact_id, visitor.contact_id + 1):
        VisitorPresence.objects.create(
            contact_id=contact_id, organization_id=visitor.organization_id, seen_at=old
        )
        tasks.sweep_presence()
    assert published.types() == ["visitor.disconnected"]


async def test_presence_runs_in_a_process(process: Runtime, visitor: VisitorAccess) -> None:
    process.presence.visitor_arrived(visitor.contact_id, visitor.organization_id)
    await asyncio.sleep(1)
    assert await database.read(VisitorPresence.objects.exists)


def _age_by(seconds: int) -> None:
    VisitorPresence.objects.update(seen_at=timezone.now() - timedelta(seconds=seconds))
