"""Code that really runs at the same time, each thread with a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connection

TIMEOUT_S = 40
T = TypeVar("T")


def together(*calls: Callable[[], T]) -> list[T]:
    """Run the calls at the same moment and return their results in order.

    The first exception is raised when all have ended. Needs a test with real transactions.
    """
    start = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        start.wait(TIMEOUT_S)
        try:
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(run, call) for call in calls]
    return [future.result() for future in futures]
