"""The server: uvicorn with the product's limits, and a drain before it stops."""

import fcntl
import gc
import os
import signal
import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any

import structlog
import uvicorn
from django.conf import settings
from django.core.management.base import CommandError

from realtime import runtime

log = structlog.stdlib.get_logger(__name__)

STOP_S = 9
SOCKET_MESSAGE_BYTES = 256 * 1024
"""Above the products' own limits, which close with codes that clients understand."""


class Server(uvicorn.Server):
    """Takes no more connections, sends the sockets away, then stops."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """From here on the process has `STOP_S` seconds, whatever its threads wait for."""
        deadline = threading.Timer(STOP_S, _give_up)
        deadline.daemon = True
        deadline.start()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What has been made until now stays, and looking through it would stop everything for 50 ms
        # every few thousand messages.
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        process = runtime.find()
        if process is not None:
            await process.drain()
        await super().shutdown(sockets)


def _give_up() -> None:
    """End here and now, as a crash would, which loses nothing.

    A statement that waits for a lock cannot be cancelled, and the interpreter waits for its thread.
    """
    log.error("stop_took_too_long", limit_s=STOP_S)
    os._exit(1)


def serve(listener: socket.socket, *, ready: Any = None) -> None:
    """Serve in the foreground until SIGINT or SIGTERM."""
    server = Server(configure("project.asgi:application"))
    if ready is not None:
        started = server.startup

        async def startup(sockets: list[socket.socket] | None = None) -> None:
            await started(sockets)
            if server.started:
                ready()

        server.startup = startup  # type: ignore[method-assign]
    # uvicorn raises the signal again once it has stopped: then whoever called us cleans up.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


def configure(application: Any) -> uvicorn.Config:
    """How an ASGI application, or the one that a path names, is served."""
    return uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=SOCKET_MESSAGE_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=25,
        ws_ping_timeout=20,
        timeout_graceful_shutdown=5,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
    )


def listen(host: str, port: int) -> socket.socket:
    """A bound socket. Raises CommandError for a port that is taken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another KARIBU_PORT."
        ) from None
    return listener


def hold_data_dir() -> IO[str]:
    """Keep other servers off this data folder for as long as the returned file is open.

    One process with memory for a layer and a broker is what the embedded default is; a second one
    would have half of the sockets and none of the events. Raises CommandError.
    """
    path = Path(settings.DATA_DIR) / "server.lock"
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise CommandError(
            f"Another server uses {settings.DATA_DIR}. Stop it, or set KARIBU_DATA_DIR and "
            "KARIBU_PORT to run a second copy beside it."
        ) from None
    return file
