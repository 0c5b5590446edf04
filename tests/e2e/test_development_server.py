"""Daphne by `manage.py runserver`: for development, so a smoke test is what it gets."""

import asyncio
import json
import sys
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from websockets.asyncio.client import connect

from tests.services.karibu import ROOT, KaribuServer

HELLO_WITHIN_S = 10


class DevelopmentServer(KaribuServer):
    def command(self) -> list[str]:
        return [
            sys.executable,
            str(ROOT / "manage.py"),
            "runserver",
            "--noreload",
            f"127.0.0.1:{self.port}",
        ]


@pytest.fixture(scope="module")
def server() -> Iterator[DevelopmentServer]:
    with DevelopmentServer() as running:
        yield running


def test_widget_is_answered(server: DevelopmentServer) -> None:
    site = server.demo["site"]
    request = Request(  # noqa: S310 our own server
        f"{server.base_url}/api/v1/webchat/config?widget_key={site['widget_key']}",
        headers={"Origin": site["allowed_origin"]},
    )
    with urlopen(request, timeout=HELLO_WITHIN_S) as answer:  # noqa: S310 our own server
        assert answer.status == 200


async def test_agent_is_welcomed_and_works(server: DevelopmentServer) -> None:
    url = server.base_url.replace("http", "ws") + "/ws/agent"
    async with asyncio.timeout(HELLO_WITHIN_S), connect(url) as socket:
        hello = {"type": "hello", "data": {"token": server.demo["agent"]["token"]}}
        await socket.send(json.dumps(hello))
        assert json.loads(await socket.recv())["type"] == "welcome"
        await socket.send(json.dumps({"id": 1, "type": "list.subscribe"}))
        while (answer := json.loads(await socket.recv())).get("id") != 1:
            pass
        assert answer["data"]["items"]
