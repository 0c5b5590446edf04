"""What every real server of the tests shares: a temporary folder, a free port, a life."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests.services.ports import free_port

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 20


class MissingProgramError(Exception):
    """A server's program is not installed; the message says how to install it."""


def find_program(name: str, *, package: str, folders: Sequence[Path] = ()) -> Path:
    """Return where `name` is, in `folders` first; raises MissingProgramError."""
    places = [*map(str, folders), os.environ.get("PATH", os.defpath)]
    if found := shutil.which(name, path=os.pathsep.join(places)):
        return Path(found)
    raise MissingProgramError(f"{name} is not installed: run `apt-get install {package}` as root")


class Server(ABC):
    """A server process that belongs to the test; as a context manager, started and removed.

    `stop` and `start` may be called in between: port and data stay the same.
    """

    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    user: ClassVar[str | None] = None
    """Whom the server runs as where the tests run as root; None: as the tests."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="karibu-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        if self.run_as:
            shutil.chown(self.folder, self.run_as)

    @property
    def run_as(self) -> str | None:
        """The user to switch to, which only root can."""
        return self.user if os.geteuid() == 0 else None

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line that serves `port` in the foreground."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether the server answers."""

    def variables(self) -> dict[str, str] | None:
        """The process's environment variables; None: the tests' own."""
        return None

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.launch()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.is_ready():
            if self.exit_code() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{type(self).__name__} did not start:\n{self.output()}")
            time.sleep(0.02)

    def launch(self) -> None:
        """Start the process and leave it to itself."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                env=self.variables(),
                cwd=self.folder,
                user=self.run_as,
                group=self.run_as,
                extra_groups=[] if self.run_as else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C goes to the tests, which then stop their servers in order.
                start_new_session=True,
            )

    def exit_code(self) -> int | None:
        """None while the process runs."""
        return None if self._process is None else self._process.poll()

    def output(self) -> str:
        """What the process has printed since the first start."""
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        """Stop the process in order, and end it where that takes too long."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End the process as a crash would; `start` begins another one on its data."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"
