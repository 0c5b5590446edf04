"""The threads that work on the database for asynchronous code."""

import asyncio
import contextvars
import threading
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from project import database
from realtime.publish import publish
from tests.conftest import Published
from tests.realtime.samples import open_streams, seen_event

pytestmark = pytest.mark.django_db(transaction=True)

who: contextvars.ContextVar[str] = contextvars.ContextVar("who")


def thread_name() -> str:
    return threading.current_thread().name


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def divide(dividend: int, *, by: int) -> float:
    return dividend / by


async def test_results_and_exceptions_come_back() -> None:
    assert await database.read(divide, 6, by=3) == 2
    assert await database.write(divide, 6, by=3) == 2
    for crossing in (database.read, database.write):
        with pytest.raises(ZeroDivisionError):
            await crossing(divide, 6, by=0)


async def test_work_runs_off_the_loop_in_the_callers_context() -> None:
    who.set("Vera")
    for crossing in (database.read, database.write):
        assert await crossing(who.get) == "Vera"
        assert await crossing(thread_name) != thread_name()


async def test_reads_do_not_wait_for_each_other() -> None:
    together = threading.Barrier(4)
    async with asyncio.timeout(5):
        await asyncio.gather(*(database.read(together.wait, 4) for _ in range(4)))


async def test_reads_do_not_wait_for_a_write() -> None:
    release = threading.Event()
    writing = asyncio.create_task(database.write(release.wait, 4))
    async with asyncio.timeout(2):
        assert await database.read(count) == 1
    release.set()
    assert await writing


async def test_sqlite_has_one_writing_thread() -> None:
    names = set(await asyncio.gather(*(database.write(thread_name) for _ in range(20))))
    assert len(names) == 1 or not is_sqlite()


async def test_a_cancelled_caller_stops_no_write(published: Published) -> None:
    started, release = threading.Event(), threading.Event()

    def serve() -> None:
        with transaction.atomic():
            open_streams()
            started.set()
            release.wait(4)
            publish(seen_event())

    calling = asyncio.create_task(database.write(serve))
    await asyncio.to_thread(started.wait, 4)
    calling.cancel()
    with suppress(asyncio.CancelledError):
        await calling
    assert published.take() == []
    release.set()
    async with asyncio.timeout(4):
        while not (events := published.take()):  # noqa: ASYNC110 nobody is left to tell of it
            await asyncio.sleep(0.005)
    assert [event.seq for event in events] == [1]


async def test_a_cancelled_caller_stops_no_write_that_waits_its_turn() -> None:
    release, done = threading.Event(), threading.Event()
    threads = 1 if is_sqlite() else 8
    busy = [asyncio.create_task(database.write(release.wait, 4)) for _ in range(threads)]
    waiting = asyncio.create_task(database.write(done.set))
    await asyncio.sleep(0.02)
    waiting.cancel()
    release.set()
    await asyncio.gather(*busy)
    assert await asyncio.to_thread(done.wait, 4)


def test_blocking_write_has_the_writers_thread_on_sqlite() -> None:
    writer = database.write_blocking(thread_name)
    assert writer.startswith("writer") if is_sqlite() else writer == thread_name()


def test_blocking_write_stays_in_the_callers_transaction() -> None:
    with transaction.atomic():
        assert database.write_blocking(thread_name) == thread_name()


def test_blocking_write_raises_what_the_service_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        database.write_blocking(divide, 1, by=0)


def fail() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nonsense")


def count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        row: tuple[int] = cursor.fetchone()
        return row[0]


async def test_a_failed_statement_spoils_no_thread() -> None:
    for _ in range(20):
        with pytest.raises(DatabaseError):
            await database.write(fail)
        assert await database.write(count) == 1


async def test_a_lost_connection_is_replaced() -> None:
    def lose() -> None:
        connection.ensure_connection()
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        else:
            lost: Any = connection.connection
            lost.close()
            count()

    for _ in range(10):
        with pytest.raises(Exception, match=r"terminat|closed"):
            await database.write(lose)
    for _ in range(10):
        assert await database.write(count) == 1


class TestClose:
    @pytest.fixture(autouse=True)
    def ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Begin without threads, and keep each connection that one of them opens."""
        database.close()
        self.opened: list[Any] = []

    def use(self) -> None:
        connection.ensure_connection()
        self.opened.append(connections["default"])

    async def use_all(self, *, busy: threading.Event | None = None) -> None:
        """Four reading threads, one of which may stay busy, and the writing one."""
        together = threading.Barrier(4)

        def work() -> None:
            self.use()
            if together.wait(4) == 0 and busy is not None:
                busy.wait(4)

        reading = [asyncio.create_task(database.read(work)) for _ in range(4)]
        await database.write(self.use)
        if busy is None:
            await asyncio.gather(*reading)
        else:
            await asyncio.wait(reading, timeout=0.05)

    async def test_ends_every_thread_and_connection(self) -> None:
        await self.use_all()
        await asyncio.to_thread(database.close)
        assert [wrapper.connection for wrapper in self.opened] == [None] * len(self.opened)
        assert not [t for t in threading.enumerate() if t.name.startswith(("database", "writer"))]

    async def test_waits_for_who_is_busy(self) -> None:
        busy = threading.Event()
        await self.use_all(busy=busy)
        closing = asyncio.create_task(asyncio.to_thread(database.close))
        await asyncio.sleep(0.05)
        assert not closing.done()
        busy.set()
        await closing
        assert [wrapper.connection for wrapper in self.opened] == [None] * len(self.opened)

    async def test_lets_the_next_call_begin_anew(self) -> None:
        await self.use_all()
        await asyncio.to_thread(database.close)
        assert await database.read(count) == await database.write(count) == 1

    def test_of_nothing_is_nothing(self) -> None:
        database.close()
        database.close()
