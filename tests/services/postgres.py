"""A PostgreSQL of the tests' own."""

import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

from tests.services.server import Server, find_program


class PostgresServer(Server):
    """PostgreSQL with its own cluster and its usual durability (fsync stays on)."""

    stop_signal = signal.SIGINT  # "Fast": it ends open sessions instead of waiting for them.
    user: ClassVar[str | None] = "postgres"  # It refuses to run as root.

    def __init__(self) -> None:
        # Debian keeps the server's programs off the PATH, one folder per version.
        folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        programs = find_program("postgres", package="postgresql", folders=folders).parent
        self._initdb, self._postgres = programs / "initdb", programs / "postgres"
        self._pg_isready = programs / "pg_isready"
        self._password = secrets.token_hex(16)
        super().__init__()

    @property
    def url(self) -> str:
        """The value of DATABASE_URL: an empty database, and the right to make others."""
        return f"postgres://karibu:{self._password}@127.0.0.1:{self.port}/postgres"

    def command(self) -> list[str]:
        """Serve loopback, and a socket in the folder."""
        words = [self._postgres, "-D", self._data, "-p", self.port, "-h", "127.0.0.1"]
        return [str(word) for word in (*words, "-k", self.folder)]

    def start(self) -> None:
        """Make the cluster the first time, then serve it."""
        if not self._data.exists():
            self._make_cluster()
        super().start()

    def is_ready(self) -> bool:
        """Whether it takes connections."""
        probe = [str(self._pg_isready), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(probe, check=False).returncode == 0

    def _make_cluster(self) -> None:
        password_file = self.folder / "password"
        password_file.write_text(self._password)
        if self.run_as:
            shutil.chown(password_file, self.run_as)
        options = ["--username=karibu", "--auth=scram-sha-256", f"--pwfile={password_file}"]
        locale = ["--encoding=UTF8", "--locale=C.UTF-8"]
        subprocess.run(
            [str(self._initdb), "-D", str(self._data), *options, *locale],
            cwd=self.folder,
            user=self.run_as,
            group=self.run_as,
            extra_groups=[] if self.run_as else None,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"
