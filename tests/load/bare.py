"""What is left when the product is taken out: the same server, sockets and, where asked for, rows.

Every POST is stored by the raw transaction and written to all sockets; nobody is asked who they
are, and nothing is numbered, repeated or bounded. Its figures are what the machine allows a server
in Python.
"""

import asyncio
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any

import django
import uvicorn

django.setup()

from project.server import configure  # noqa: E402
from tests.load import raw  # noqa: E402
from tests.load.job import Job  # noqa: E402

THREADS = 8
PADDING = "x" * 600
"""Makes a frame about as long as the product's."""


class BareApplication:
    def __init__(self, job: Job | None) -> None:
        self._job = job
        self._threads = ThreadPoolExecutor(THREADS)
        self._own = threading.local()
        self._contact_ids = cycle(job.contact_ids if job else [0])
        self._sockets: set[Any] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "websocket":
            await self._listen(receive, send)
        else:
            await self._post(receive, send)

    async def _listen(self, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await receive()  # hello
        await send({"type": "websocket.send", "text": '{"type":"welcome"}'})
        self._sockets.add(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass
        self._sockets.discard(send)

    async def _post(self, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        if self._job is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._threads, self._store, self._job)
        text = json.dumps({"type": "message.created", "data": json.loads(body), "padding": PADDING})
        for each in tuple(self._sockets):
            await each({"type": "websocket.send", "text": text})
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    def _store(self, job: Job) -> None:
        if not hasattr(self._own, "client"):
            self._own.client = raw.client_of(job)
        self._own.client.store(next(self._contact_ids))


def main() -> None:
    port, job = int(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
    application = BareApplication(Job(**job) if job else None)
    config = configure(application)
    config.host, config.port = "127.0.0.1", port
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
