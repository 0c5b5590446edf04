"""The two servers that visitors may find behind the same address, as the contract tests see them.

Tokens are the product's own, so that the tests also prove that Centrifugo takes them.
"""

import asyncio
import json
import shutil
import threading
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar
from uuid import uuid4

import uvicorn
import uvloop
from django.utils import timezone

from realtime import tokens
from realtime.gateway.consumer import GatewayConsumer
from realtime.gateway.options import GatewayOptions
from realtime.gateway.ports import Publication
from realtime.gateway.registry import Registry
from realtime.gateway.session import Gateway
from tests.realtime.gateway.fakes import MemoryStreams, RecordingWatch
from tests.services.ports import free_port
from tests.services.server import Server

T = TypeVar("T")
REPOSITORY = Path(__file__).parents[2]


def new_visitor() -> str:
    return str(uuid4())


def connection_token(visitor: str, ttl_s: int = 3600) -> str:
    return tokens.issue_connection_token(visitor, now=timezone.now(), ttl_s=ttl_s, session_id="s")


def subscription_token(visitor: str, ttl_s: int = 3600, channel: str | None = None) -> str:
    channel = channel or f"visitor:{visitor}"
    return tokens.issue_subscription_token(visitor, channel, now=timezone.now(), ttl_s=ttl_s)


class Backend(Protocol):
    @property
    def url(self) -> str: ...

    async def publish(self, channel: str, data: Any, *, kept: bool = True) -> None: ...

    async def publish_all(self, channel: str, numbers: Iterable[int]) -> None:
        """Publish `{"n": number}` for each, faster than a client can reconnect."""

    async def position(self, channel: str) -> dict[str, Any]:
        """The stream's top as clients pass it: `offset` and `epoch`."""

    async def disconnect(self, user: str, code: int, reason: str) -> None: ...

    async def connections(self, channel: str) -> int: ...


class GatewayServer:
    """The gateway under uvicorn and uvloop in a thread of its own, with its ports in memory."""

    def __init__(self, options: GatewayOptions | None = None) -> None:
        self.options = options or GatewayOptions()
        self.streams = MemoryStreams()
        self.watch = RecordingWatch()
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/connection/websocket"

    def start(self) -> None:
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._started.wait(10)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    async def publish(self, channel: str, data: Any, *, kept: bool = True) -> None:
        await self.on_loop(lambda: self._publish(channel, data, kept=kept))

    async def publish_all(self, channel: str, numbers: Iterable[int], **more: Any) -> None:
        def publish() -> None:
            for n in numbers:
                self._publish(channel, {"n": n, **more}, kept=True)

        await self.on_loop(publish)

    async def lose(self, channel: str, data: Any) -> None:
        """Store a publication that never arrives live, as a channel layer may lose one."""
        await self.on_loop(lambda: self.streams.append(channel, data))

    async def position(self, channel: str) -> dict[str, Any]:
        return {"offset": len(self.streams.stored[channel]), "epoch": self.streams.epoch}

    async def disconnect(self, user: str, code: int, reason: str) -> None:
        await self.on_loop(lambda: self.registry.disconnect(user, code, reason))

    async def connections(self, channel: str) -> int:
        stats = await self.on_loop(lambda: self.registry.presence_stats([channel]))
        return stats[channel].num_clients

    async def open_sockets(self) -> int:
        return await self.on_loop(lambda: len(self._server.server_state.connections))

    async def on_loop(self, work: Callable[[], T]) -> T:
        async def call() -> T:
            return work()

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call(), self.loop))

    def _publish(self, channel: str, data: Any, *, kept: bool) -> None:
        if kept:
            publication = self.streams.append(channel, data)
        else:
            publication = Publication(0, json.dumps(data).encode())
        self.registry.publish(channel, publication)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.registry = Registry(self.watch)
        gateway = Gateway(self.registry, tokens.SignedTokens(), self.streams, self.options)
        config = uvicorn.Config(
            GatewayConsumer.as_asgi(gateway=gateway),
            port=self.port,
            ws="websockets-sansio",
            ws_max_size=256 * 1024,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        serving = asyncio.ensure_future(self._server.serve())
        while not self._server.started and not serving.done():  # noqa: ASYNC110 it has no event
            await asyncio.sleep(0.005)
        self._started.set()
        await serving


class CentrifugoServer(Server):
    """A real Centrifugo with the namespace that the product is configured with."""

    @staticmethod
    def find() -> str | None:
        folders = (str(REPOSITORY / "var" / "bin"), str(REPOSITORY / "deploy" / "centrifugo"))
        return shutil.which("centrifugo") or shutil.which("centrifugo", path=":".join(folders))

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/connection/websocket"

    def command(self) -> list[str]:
        config = self.folder / "config.json"
        config.write_text(json.dumps(self._config()))
        program = self.find()
        assert program
        return [program, "--config", str(config)]

    def is_ready(self) -> bool:
        try:
            self._call("info")
        except OSError:
            return False
        return True

    async def publish(self, channel: str, data: Any, *, kept: bool = True) -> None:
        await self._ask("publish", channel=channel, data=data, skip_history=not kept)

    async def publish_all(self, channel: str, numbers: Iterable[int]) -> None:
        commands = [{"publish": {"channel": channel, "data": {"n": n}}} for n in numbers]
        await self._ask("batch", commands=commands)

    async def position(self, channel: str) -> dict[str, Any]:
        result = await self._ask("history", channel=channel)
        return {"offset": result.get("offset", 0), "epoch": result["epoch"]}

    async def disconnect(self, user: str, code: int, reason: str) -> None:
        await self._ask("disconnect", user=user, disconnect={"code": code, "reason": reason})

    async def connections(self, channel: str) -> int:
        return int((await self._ask("presence_stats", channel=channel)).get("num_clients", 0))

    async def _ask(self, method: str, **fields: Any) -> Any:
        return await asyncio.to_thread(self._call, method, **fields)

    def _call(self, method: str, **fields: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{method}",
            json.dumps(fields).encode(),
            {"X-API-Key": "key"},
        )
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 loopback
            answer = json.load(response)
        assert "error" not in answer, answer
        return answer.get("result")

    def _config(self) -> dict[str, Any]:
        return {
            "client": {
                "allowed_origins": ["*"],
                "token": {
                    "hmac_secret_key": tokens.connection_key(),
                    "audience": tokens.CONNECTION_AUDIENCE,
                },
                "subscription_token": {
                    "enabled": True,
                    "hmac_secret_key": tokens.subscription_key(),
                    "audience": tokens.SUBSCRIPTION_AUDIENCE,
                },
                "disallow_anonymous_connection_tokens": True,
            },
            "http_api": {"key": "key"},
            "http_server": {"address": "127.0.0.1", "port": self.port},
            "channel": {
                "namespaces": [
                    {
                        "name": "visitor",
                        "presence": True,
                        "history_size": 200,
                        "history_ttl": "24h",
                        "force_recovery": True,
                        "publication_data_format": "json_object",
                    }
                ]
            },
        }
