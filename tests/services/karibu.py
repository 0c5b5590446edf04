"""The product, as anybody starts it: `manage.py serve` in a process and on data of its own."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import psycopg

from scripts.test import SETTINGS
from tests.services.server import Server

ROOT = Path(__file__).resolve().parents[2]
COMMAND_TIMEOUT_S = 60
STOP_WITHIN_S = 10


class KaribuServer(Server):
    """Starts from a migrated database with the demo in it, `agents` of them on top.

    `database_url` names a PostgreSQL on which it makes a database of its own, `commit_delay_ms`
    adding to each commit what a slow disk would; None: SQLite in its data folder. `settings` may be
    changed between two starts.
    """

    def __init__(
        self,
        *,
        database_url: str | None = None,
        agents: int = 0,
        commit_delay_ms: int = 0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.data = self.folder / "data"
        self.settings = dict(settings or {})
        self.demo: dict[str, Any] = {}
        self._agents = agents
        self._commit_delay_ms = commit_delay_ms
        self._maintenance_url = database_url
        self._database_name = f"karibu_{token_hex(6)}"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database_url(self) -> str | None:
        if self._maintenance_url is None:
            return None
        return urlunsplit(urlsplit(self._maintenance_url)._replace(path=f"/{self._database_name}"))

    def command(self) -> list[str]:
        return [sys.executable, str(ROOT / "manage.py"), "serve"]

    def variables(self) -> dict[str, str]:
        """The machine's variables without its settings, then this server's."""
        machine = {name: value for name, value in os.environ.items() if not SETTINGS.match(name)}
        own = {
            "KARIBU_DATA_DIR": str(self.data),
            "KARIBU_PORT": str(self.port),
            "KARIBU_LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
        }
        if self.database_url is not None:
            own["DATABASE_URL"] = self.database_url
        return machine | own | self.settings

    def is_ready(self) -> bool:
        """Whether it listens, which it does last."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def manage(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a management command on the server's data to its end, whatever that is."""
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words],
            cwd=self.folder,
            env=self.variables() | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self.exit_code() is None

    def terminate(self) -> None:
        """Ask the process to stop, without waiting for it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """The exit code of a process that has been asked to stop. Raises TimeoutExpired."""
        assert self._process is not None
        return self._process.wait(STOP_WITHIN_S)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database holds, past the product."""
        if self.database_url is not None:
            with psycopg.connect(self.database_url) as connection:
                return connection.execute(sql.encode()).fetchall()
        file = self.data / "karibu.sqlite3"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody store an event, as a backup or a migration might."""
        if self.database_url is not None:
            with psycopg.connect(self.database_url) as connection:
                connection.execute("LOCK TABLE realtime_storedevent IN ACCESS EXCLUSIVE MODE")
                yield
        else:
            with closing(sqlite3.connect(self.data / "karibu.sqlite3")) as database:
                database.execute("BEGIN IMMEDIATE")
                yield

    def errors(self) -> list[str]:
        """The log's lines that tell of a defect: errors, and whatever is no line of the log."""
        return [line for line in self.output().splitlines() if _tells_of_defect(line)]

    def __enter__(self) -> Self:
        try:
            self._make_database()
            self._run("migrate", "--verbosity=0")
            self.demo = json.loads(self._run("seed_demo", "--json", f"--agents={self._agents}"))
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        self._maintain(f"DROP DATABASE IF EXISTS {self._database_name} WITH (FORCE)")

    def _make_database(self) -> None:
        self.data.mkdir()
        self._maintain(f"CREATE DATABASE {self._database_name}")
        for name, value in (
            ("commit_delay", 1000 * self._commit_delay_ms),
            ("commit_siblings", 0),  # also where nobody else is writing
        ):
            self._maintain(f"ALTER DATABASE {self._database_name} SET {name} = {value}")

    def _maintain(self, statement: str) -> None:
        if self._maintenance_url is not None:
            with psycopg.connect(self._maintenance_url, autocommit=True) as connection:
                connection.execute(statement.encode())

    def _run(self, *words: str) -> str:
        done = self.manage(*words)
        if done.returncode:
            raise RuntimeError(f"manage.py {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


def _tells_of_defect(line: str) -> bool:
    """What `serve` says to a person when it is ready, has no braces and is no defect."""
    try:
        record = json.loads(line)
    except ValueError:
        return "Traceback" in line or "Error" in line
    return record.get("level") in {"error", "critical"}
