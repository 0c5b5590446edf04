"""The transaction of a send with nothing before it: the ceiling of what the product can reach.

The statements are the product's own. On PostgreSQL clients are threads with a connection each; on
SQLite there is one writer, as in the product.
"""

import json
import re
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import cycle
from typing import Any
from uuid import uuid4

import django
import psycopg
from psycopg.types.json import Jsonb

django.setup()

from realtime.log import portable as portable_log  # noqa: E402
from realtime.log import postgres as postgres_log  # noqa: E402
from tests.load.job import Job  # noqa: E402
from webchat.intake import portable as portable_intake  # noqa: E402
from webchat.intake import postgres as postgres_intake  # noqa: E402
from webchat.models.conversation import new_public_id  # noqa: E402

CONTENT = "Where is my parcel? It was to arrive on Tuesday, order number 4711."
START_TIMEOUT_S = 10
INSERT_EVENT = """
INSERT INTO realtime_storedevent (
    event_id, type, organization_id, seq, site_id, conversation_id, agent_payload, contact_id,
    stream_seq, visitor_type, visitor_payload, created_at, agents_pending, visitor_pending
) VALUES (?, 'message.created', ?, ?, ?, ?, ?, ?, ?, 'message.new', ?, ?, 1, 1) RETURNING id
"""


class PostgresClient:
    """One connection that stores messages."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._connection = psycopg.connect(job.database)
        self._cursor = self._connection.cursor()

    def store(self, contact_id: int) -> None:
        now = datetime.now(UTC)
        cursor = self._cursor
        row = cursor.execute(
            postgres_intake.STORE, _message(self._job, contact_id, now, Jsonb({})), prepare=True
        ).fetchone()
        assert row is not None
        cursor.execute(
            postgres_log.statement(1),
            [
                self._job.organization_id,
                uuid4(),
                "message.created",
                self._job.site_id,
                row[1],
                self._job.agent_payload,
                contact_id,
                "message.new",
                self._job.visitor_payload,
                now,
            ],
            prepare=True,
        ).fetchall()
        self._connection.commit()


class SqliteClient:
    """The one writer, with the product's PRAGMAs."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._connection = sqlite3.connect(job.database, isolation_level=None)
        self._connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-20000;"
            "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728"
        )

    def store(self, contact_id: int) -> None:
        job, execute = self._job, self._connection.execute
        now = datetime.now(UTC).isoformat(" ")
        parameters = _message(job, contact_id, now, "{}")
        execute("BEGIN IMMEDIATE")
        (conversation_id, _, _) = execute(_named(portable_intake.OPEN), parameters).fetchone()
        execute(
            _named(portable_intake.STORE), {**parameters, "conversation_id": conversation_id}
        ).fetchone()
        (stream_seq, _, _) = execute(_listed(portable_log.NEXT_OF_CONTACT), [contact_id]).fetchone()
        (seq,) = execute(
            _listed(portable_log.NEXT_OF_ORGANIZATION), [1, job.organization_id]
        ).fetchone()
        execute(
            INSERT_EVENT,
            [
                uuid4().hex,
                job.organization_id,
                seq,
                job.site_id,
                conversation_id,
                job.agent_payload,
                contact_id,
                stream_seq,
                job.visitor_payload,
                now,
            ],
        ).fetchone()
        execute("COMMIT")


def client_of(job: Job) -> PostgresClient | SqliteClient:
    return PostgresClient(job) if job.is_postgres else SqliteClient(job)


def measure(job: Job, seconds: float) -> float:
    """Messages a second by all clients together."""
    start = threading.Barrier(job.clients, timeout=START_TIMEOUT_S)

    def work(number: int) -> float:
        client = client_of(job)
        mine = cycle(job.contact_ids[number :: job.clients])
        client.store(next(mine))
        start.wait()
        began = time.monotonic()
        stored = 0
        while (took := time.monotonic() - began) < seconds:
            client.store(next(mine))
            stored += 1
        return stored / took

    with ThreadPoolExecutor(job.clients) as pool:
        return sum(pool.map(work, range(job.clients)))


def _message(job: Job, contact_id: int, now: Any, metadata: Any) -> dict[str, Any]:
    return {
        "organization_id": job.organization_id,
        "site_id": job.site_id,
        "contact_id": contact_id,
        "engagement_id": 0,
        "public_id": new_public_id(),
        "content": CONTENT,
        "preview": CONTENT,
        "parent_id": None,
        "external_id": uuid4().hex,
        "metadata": metadata,
        "now": now,
    }


def _named(statement: str) -> str:
    return re.sub(r"%\((\w+)\)s", r":\1", statement)


def _listed(statement: str) -> str:
    return statement.replace("%s", "?")


if __name__ == "__main__":
    sys.stdout.write(str(measure(Job(**json.load(sys.stdin)), float(sys.argv[1]))))
