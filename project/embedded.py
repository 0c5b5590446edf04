"""Celery's worker and beat as threads of the server, for an installation without a broker.

The broker is memory, so the work that must survive the process is in rows, and a task is only the
wake-up (docs/decisions/0002).
"""

import threading
from collections.abc import Callable

import structlog
from celery.beat import Scheduler, Service
from celery.worker import WorkController

from project.celery import app

log = structlog.stdlib.get_logger(__name__)

STOP_S = 5


class EmbeddedCelery:
    """One worker with one thread, and beat."""

    def __init__(self) -> None:
        self._worker = WorkController(
            app=app,
            pool="solo",
            hostname="embedded@karibu",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )
        self._beat = Service(app=app, scheduler_cls=Scheduler, max_interval=1)
        self._threads = [
            threading.Thread(target=self._run, args=(target,), name=name, daemon=True)
            for name, target in (
                ("celery-worker", self._worker.start),
                ("celery-beat", lambda: self._beat.start(embedded_process=True)),
            )
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Let the running task finish; what is queued was only a wake-up."""
        self._beat.stop()
        self._worker.stop()
        for thread in self._threads:
            thread.join(STOP_S)

    def _run(self, target: Callable[[], None]) -> None:
        try:
            target()
        except Exception:  # /readyz shows that the thread is gone
            log.exception("embedded_celery_failed", thread=threading.current_thread().name)
