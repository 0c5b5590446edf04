"""From a bare clone to a served page, and again."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.load.lab import Lab
from tests.load.processes import ROOT, Usage, is_serving
from tests.load.report import Figure
from tests.services.ports import free_port
from tests.services.server import find_program

FIRST_TIMEOUT_S = 180
LATER_TIMEOUT_S = 30
REST_S = 3


class Clone:
    """A clone of what is committed, and `make run` in it."""

    def __init__(self, folder: Path) -> None:
        self._tree = folder / "karibu"
        self._port = free_port()
        git = find_program("git", package="git")
        subprocess.run([git, "clone", "--quiet", ROOT, self._tree], check=True)
        self._make = find_program("make", package="make")

    @contextmanager
    def running(self, timeout_s: float) -> Iterator[tuple[float, float]]:
        """The seconds until it was ready, and the MiB that it then holds; stops it afterwards."""
        names = ("PATH", "HOME", "LANG")
        environment = {name: os.environ[name] for name in names if name in os.environ}
        began = time.monotonic()
        process = subprocess.Popen(
            [self._make, "run"],
            cwd=self._tree,
            env={**environment, "KARIBU_PORT": str(self._port)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while not is_serving(self._port):
                if process.poll() is not None or time.monotonic() - began > timeout_s:
                    raise RuntimeError(f"make run did not serve (exit {process.poll()}).")
                time.sleep(0.02)
            took = time.monotonic() - began
            time.sleep(REST_S)
            yield took, _memory_mib(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LATER_TIMEOUT_S)


async def measure(lab: Lab, repeats: int) -> list[Figure]:
    """In a thread, so that the benchmark stays interruptible."""
    return await asyncio.to_thread(_measure, repeats)


def _measure(repeats: int) -> list[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="karibu-"))
    try:
        clone = Clone(folder)
        later, memory = [], []
        with clone.running(FIRST_TIMEOUT_S) as (first, _):
            pass
        for _ in range(repeats):
            with clone.running(LATER_TIMEOUT_S) as (took, held):
                later.append(took)
                memory.append(held)
    finally:
        shutil.rmtree(folder)
    return [
        Figure(name="make run, first", unit="s", values=[first], goal=90),
        Figure(name="make run, later", unit="s", values=later, goal=5),
        Figure(name="memory of make run, all processes", unit="MiB", values=memory, goal=250),
    ]


def _memory_mib(session: int) -> float:
    """Of every process of the session."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    return sum(Usage.of(pid).rss_kib for pid in pids if _session_of(pid) == session) / 1024


def _session_of(pid: int) -> int | None:
    with suppress(ProcessLookupError):
        return os.getsid(pid)
    return None
