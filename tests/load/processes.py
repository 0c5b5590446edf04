"""The processes under load: the product's server, and a bare one to compare it with."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Self
from urllib.request import urlopen

from tests.load.job import Job
from tests.load.population import Population
from tests.services.server import Server

ROOT = Path(__file__).resolve().parents[2]
PROGRAM_TIMEOUT_S = 60
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far: CPU seconds of all its threads, and resident memory."""

    cpu_s: float
    rss_kib: int

    @classmethod
    def of(cls, pid: int) -> Self:
        process = Path("/proc", str(pid))
        # After the name, which may hold spaces: utime and stime are fields 14 and 15.
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        status = dict(
            line.split(":", 1) for line in (process / "status").read_text().splitlines() if line
        )
        cpu_ticks = int(fields[11]) + int(fields[12])
        return cls(cpu_ticks / TICKS_PER_S, int(status["VmRSS"].split()[0]))


class LoadedServer(Server):
    """Listens on `port` when it's ready, in an environment without the machine's settings."""

    def __init__(self) -> None:
        super().__init__()
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def usage(self) -> Usage:
        return Usage.of(self.pid)

    def is_ready(self) -> bool:
        return is_listening(self.port)

    def python(self, *words: str) -> list[str]:
        """A command line of the tree's Python in that environment."""
        settings = [f"{name}={value}" for name, value in self.environment.items()]
        return ["/usr/bin/env", "-i", *settings, sys.executable, *words]


class Product(LoadedServer):
    """`manage.py serve` as anybody starts it, with a data folder of its own."""

    def __init__(self, database_url: str | None = None) -> None:
        super().__init__()
        self.data = self.folder / "data"
        self.data.mkdir()
        self.environment |= {
            "DJANGO_SETTINGS_MODULE": "tests.load.settings",
            "KARIBU_DATA_DIR": str(self.data),
            "KARIBU_PORT": str(self.port),
            "KARIBU_RATE_LIMITS": "off",
        }
        if database_url is not None:
            self.environment["DATABASE_URL"] = database_url

    def command(self) -> list[str]:
        return self.python(str(ROOT / "manage.py"), "serve")

    def is_ready(self) -> bool:
        return is_serving(self.port)

    def populate(self, *, agents: int, visitors: int, idlers: int = 0) -> Population:
        """Migrate the database and fill it. Before the first start."""
        self._run(str(ROOT / "manage.py"), "migrate", "--verbosity=0")
        sizes = {"agents": agents, "visitors": visitors, "idlers": idlers}
        words = [f"--{name}={size}" for name, size in sizes.items()]
        return Population.from_json(json.loads(self._run("-m", "tests.load.seed", *words)))

    def read_stamps(self) -> dict[str, int]:
        """When each event's transaction had committed, in nanoseconds, by event id."""
        pairs = (line.split() for line in (self.data / "stamps").read_text().splitlines())
        return {event_id: int(committed_at) for event_id, committed_at in pairs}

    def run_raw(self, job: Job, *, seconds: float) -> float:
        """Store messages with nothing before the database; returns how many a second."""
        return float(self._run("-m", "tests.load.raw", str(seconds), input=json.dumps(asdict(job))))

    def _run(self, *words: str, input: str = "") -> str:
        done = subprocess.run(
            self.python(*words),
            cwd=ROOT,
            input=input,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PROGRAM_TIMEOUT_S,
            check=True,
        )
        return done.stdout


class Bare(LoadedServer):
    """The same server with nothing but sockets in it and, given a database, the raw transaction."""

    def __init__(self, job: Job | None = None) -> None:
        super().__init__()
        # Imports of the product want its settings.
        self.environment |= {
            "DJANGO_SETTINGS_MODULE": "project.settings",
            "KARIBU_DATA_DIR": str(self.folder),
        }
        self._job = self.folder / "job.json"
        self._job.write_text("null" if job is None else json.dumps(asdict(job)))

    def command(self) -> list[str]:
        return self.python("-m", "tests.load.bare", str(self.port), str(self._job))


def is_serving(port: int) -> bool:
    """Whether the product answers."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def is_listening(port: int) -> bool:
    """Whether something takes connections on loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
