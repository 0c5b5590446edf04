"""A Redis of the tests' own."""

import socket

from tests.services.server import Server, find_program


class RedisServer(Server):
    """Redis without persistence: a restart loses everything, as a crash would."""

    def __init__(self) -> None:
        self._program = find_program("redis-server", package="redis-server")
        super().__init__()

    @property
    def url(self) -> str:
        """The value of REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        """Serve loopback alone, in memory alone."""
        options = {
            "--port": str(self.port),
            "--bind": "127.0.0.1",
            "--dir": str(self.folder),
            "--save": "",
            "--appendonly": "no",
        }
        return [str(self._program), *(word for pair in options.items() for word in pair)]

    def is_ready(self) -> bool:
        """Whether it answers a PING."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
