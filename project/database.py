"""The threads that run database work for asynchronous code.

Django's own bridge gives every socket of a process one shared thread, so a slow query of one agent
stalls all (docs/decisions/0003). Here bounded pools of long-lived threads keep one connection
each. Writers are few, and SQLite, which has one at a time, gets exactly one: sends of one
organization wait for each other in any case, and a queue in memory is fair and cheap where
contention for a lock is neither.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

P = ParamSpec("P")
T = TypeVar("T")


async def read(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a query off the event loop; the result must hold no lazy querysets."""
    return await asyncio.wrap_future(_submit(_readers(), partial(function, *args, **kwargs)))


async def write(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a service off the event loop.

    The service finishes, and its events are published, even when the awaiting task is cancelled:
    a started thread cannot be, and publishing hangs on its commit, not on the caller.
    """
    future = _submit(_writers(), partial(function, *args, **kwargs))
    return await asyncio.shield(asyncio.wrap_future(future))


def write_blocking(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """`write` for code that already runs in a thread of its own (views, Celery tasks).

    On PostgreSQL, and inside a transaction that the caller opened, the work runs right here.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return function(*args, **kwargs)
    return _submit(_writers(), partial(function, *args, **kwargs)).result()


def close() -> None:
    """End the threads and their connections; the next call starts new ones."""
    for pool in (_readers(), _writers()):
        pool.shutdown(wait=True)
    _readers.cache_clear()
    _writers.cache_clear()
    while _connections:
        _connections.pop().close()


_connections: list[BaseDatabaseWrapper] = []


def _note_connection() -> None:
    """Each thread's first act: its connection outlives it, and is closed by whoever calls close."""
    mine = connections[DEFAULT_DB_ALIAS]
    mine.inc_thread_sharing()
    _connections.append(mine)


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.DATABASE_THREADS, "database", _note_connection)


@cache
def _writers() -> ThreadPoolExecutor:
    size = 1 if connection.vendor == "sqlite" else settings.DATABASE_WRITERS
    return ThreadPoolExecutor(size, "writer", _note_connection)


def _submit(pool: ThreadPoolExecutor, work: Callable[[], T]) -> Future[T]:
    return pool.submit(contextvars.copy_context().run, _run, work)


def _run(work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        # These threads outlive requests, so nothing else drops a connection that has failed.
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()
