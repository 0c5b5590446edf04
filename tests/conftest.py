"""Fixtures of every test: database, published events, and the real services that some need."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as project_settings
from django.core.management.commands import flush
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

from project import database
from realtime import delivery
from realtime.outgoing import Outgoing
from tests.factories import make_agent, make_organization, make_site, open_visitor
from tests.services.redis import RedisServer
from tests.services.server import MissingProgramError
from webchat import signing
from webchat.models import Organization, Site
from webchat.principal import Agent, VisitorAccess

pytest.register_assert_rewrite("tests.replay")

# Quick, and good enough for passwords of test accounts.
project_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A logger that remembers its processors is deaf to structlog.testing.capture_logs.
structlog.configure(cache_logger_on_first_use=False)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """Give each run a SQLite file of its own: two runs in one tree do not meet."""
    config = connections.settings["default"]
    if config["ENGINE"].endswith("sqlite3"):
        name = Path(config["TEST"]["NAME"]).name
        config["TEST"]["NAME"] = tmp_path_factory.mktemp("database") / name


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Make emptying the tables quick, and end the database threads before the database goes."""
    # Rows of a test are few: deleting them beats PostgreSQL's new files for each table, and
    # permissions, which post_migrate would write anew each time, are not used.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.ops, "sql_flush", _delete_all)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *_, **__: None)
        yield
    with django_db_blocker.unblock():
        database.close()


def _delete_all(_style: object, tables: Sequence[str], **_options: bool) -> list[str]:
    # Foreign keys are checked when the flush commits.
    return [f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables]  # noqa: S608


class Published(delivery.Delivery):
    """Records what services hand over instead of delivering it."""

    def __init__(self) -> None:
        super().__init__(asyncio.new_event_loop(), ())
        self._events: list[Outgoing] = []

    def hand_over(self, events: Sequence[Outgoing]) -> None:
        """Called by `realtime.publish` after a commit, in whatever thread."""
        self._events.extend(events)

    def take(self) -> list[Outgoing]:
        """Return the events since the last call, in the order of commits.

        In a test that runs within a transaction nothing commits; here that counts as committed
        which no inner block has rolled back.
        """
        blocks = connection.atomic_blocks
        if len(blocks) == 1 and blocks[0]._from_testcase:  # type: ignore[attr-defined]  # no stub
            hooks, connection.run_on_commit = connection.run_on_commit, []
            for hook in hooks:
                hook[1]()
        events, self._events = self._events, []
        return events

    def types(self) -> list[str]:
        """Return the types of `take()`."""
        return [event.type for event in self.take()]


@pytest.fixture
def published() -> Iterator[Published]:
    """Record the events that services publish."""
    recorder = Published()
    delivery.install(recorder)
    yield recorder
    delivery.install(None)
    recorder.loop.close()


@pytest.fixture
def organization(db: None) -> Organization:
    return make_organization()


@pytest.fixture
def site(organization: Organization) -> Site:
    return make_site(organization)


@pytest.fixture
def agent(organization: Organization) -> Agent:
    return make_agent(organization)


@pytest.fixture
def visitor(site: Site) -> VisitorAccess:
    return open_visitor(site)


@pytest.fixture(scope="session")
def ready_key() -> rsa.RSAPrivateKey:
    """Generate one RSA key for the whole run: each costs a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(autouse=True)
def _fresh_key_ring(ready_key: rsa.RSAPrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each test knowing no signing key, as a new process does; the first one is ready."""
    generate = rsa.generate_private_key
    waiting = [ready_key]

    def next_key(public_exponent: int, key_size: int) -> rsa.RSAPrivateKey:
        return waiting.pop() if waiting else generate(public_exponent, key_size)

    monkeypatch.setattr(rsa, "generate_private_key", next_key)
    monkeypatch.setattr(serialization, "load_pem_private_key", _load_pem_private_key)
    vars(signing.ring).update(vars(signing.KeyRing()))


# Loading checks that the key is sound, which costs nearly as much as making one.
_load_pem_private_key = cache(serialization.load_pem_private_key)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """Yield one Redis per test process; whoever stops it starts it again."""
    try:
        server = RedisServer()
    except MissingProgramError as missing:
        cannot_run(str(missing))
    with server:
        yield server


def cannot_run(reason: str) -> NoReturn:
    """Skip the test, or fail it where every part is required."""
    if os.environ.get("KARIBU_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
