"""Celery's worker and beat as threads of the server."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import sleep
from typing import Any

import pytest
from django.utils import timezone

from project import database
from project.celery import app
from project.embedded import EmbeddedCelery
from realtime import runtime
from realtime.models import Lease, VisitorPresence
from realtime.runtime import Runtime
from tests.factories import make_token
from tests.realtime.consumers.client import AgentClient
from webchat import tasks
from webchat.principal import Agent, VisitorAccess

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def process(transactional_db: None) -> AsyncIterator[Runtime]:
    running = await runtime.start()
    yield running
    await runtime.stop()


@contextmanager
def running_celery(schedule: dict[str, Any]) -> Iterator[EmbeddedCelery]:
    usual = app.conf.beat_schedule
    app.conf.beat_schedule = schedule
    celery = EmbeddedCelery()
    celery.start()
    try:
        yield celery
    finally:
        celery.stop()
        app.conf.beat_schedule = usual
    assert not celery.alive


def leave_long_ago(visitor: VisitorAccess) -> None:
    VisitorPresence.objects.create(
        contact_id=visitor.contact_id,
        organization_id=visitor.organization_id,
        seen_at=timezone.now() - timedelta(seconds=300),
    )


async def test_event_born_in_a_worker_reaches_agents_at_once(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    await database.write(leave_long_ago, visitor)
    with running_celery({}):
        async with AgentClient() as client:
            await client.hello(await database.write(make_token, agent))
            tasks.sweep_presence.delay()
            async with asyncio.timeout(1):
                event = await client.event("visitor.disconnected")
    assert event["data"]["contact_id"] == visitor.contact_id


def test_beat_wakes_the_worker(transactional_db: None, visitor: VisitorAccess) -> None:
    leave_long_ago(visitor)
    with running_celery({"sweep": {"task": "webchat.sweep_presence", "schedule": 0.2}}):
        deadline = timezone.now() + timedelta(seconds=5)
        while VisitorPresence.objects.exists() and timezone.now() < deadline:
            sleep(0.05)
    assert not VisitorPresence.objects.exists()


def test_every_periodic_task_is_known_and_takes_a_lease(transactional_db: None) -> None:
    app.loader.import_default_modules()
    for entry in app.conf.beat_schedule.values():
        app.tasks[entry["task"]]()
    assert Lease.objects.count() == len(app.conf.beat_schedule)
