"""examples/agent.py against a server that plays what the protocol allows."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from examples import agent as example
from realtime.close_codes import CloseCode

Play = Callable[[ServerConnection], Awaitable[None]]
WELCOME = {"agent": {"name": "Ada"}, "epoch": "e1", "head": 5, "heartbeat_s": 5}


class Server:
    """Each connection is played by the next of `plays`; `hellos` are what clients said first."""

    def __init__(self) -> None:
        self.plays: list[Play] = []
        self.hellos: list[dict[str, Any]] = []
        self.url = ""

    async def __call__(self, socket: ServerConnection) -> None:
        self.hellos.append(json.loads(await socket.recv())["data"])
        await self.plays.pop(0)(socket)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    play = Server()
    async with serve(play, "127.0.0.1", 0) as running:
        port = next(iter(running.sockets)).getsockname()[1]
        play.url = f"http://127.0.0.1:{port}/"
        yield play


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda _low, _high: 0.0)


async def say(socket: ServerConnection, *frames: dict[str, Any]) -> None:
    for frame in frames:
        await socket.send(json.dumps(frame))


def welcome(**data: Any) -> dict[str, Any]:
    return {"id": 0, "ok": True, "type": "welcome", "data": {**WELCOME, **data}}


def message(seq: int, text: str, *, prev: int | None = None, public: bool = True) -> dict[str, Any]:
    return {
        "prev": seq - 1 if prev is None else prev,
        "type": "message.created",
        "seq": seq,
        "event_id": "e",
        "conversation_id": 7,
        "data": {"content": text, "sender_name": "Leila", "is_public": public},
    }


async def stop(socket: ServerConnection) -> None:
    await socket.close(4403, "membership revoked")


async def test_it_goes_on_where_it_was_and_shows_each_message_once(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    async def first(socket: ServerConnection) -> None:
        await say(socket, welcome(), message(6, "one"), {"type": "head", "seq": 8, "prev": 6})
        await say(socket, message(9, "two", prev=8, public=False))
        await socket.close(1012)

    async def second(socket: ServerConnection) -> None:
        await say(socket, welcome(head=10), message(9, "two", prev=8), message(10, "three"))
        await stop(socket)

    server.plays = [first, second]
    client = example.Agent(server.url, "kt_x")
    assert await client.stay_connected() == "4403 membership revoked"
    assert [hello["after"] for hello in server.hellos] == [None, 9]
    assert [hello["epoch"] for hello in server.hellos] == [None, "e1"]
    assert {hello["token"] for hello in server.hellos} == {"kt_x"}
    assert capsys.readouterr().out.splitlines() == [
        "[7] Leila: one",
        "[7] Leila (note): two",
        "[7] Leila: three",
    ]


async def test_a_missing_frame_makes_it_resume(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    async def lossy(socket: ServerConnection) -> None:
        await say(socket, welcome(), message(7, "two"))
        await socket.wait_closed()

    async def whole(socket: ServerConnection) -> None:
        await say(socket, welcome(head=7), message(6, "one"), message(7, "two"))
        await stop(socket)

    server.plays = [lossy, whole]
    await example.Agent(server.url, "kt_x").stay_connected()
    assert server.hellos[1]["after"] == 5
    shown = capsys.readouterr().out.splitlines()
    assert [line for line in shown if line.startswith("[7]")] == [
        "[7] Leila: one",
        "[7] Leila: two",
    ]


async def test_resync_takes_the_new_place(server: Server) -> None:
    async def restored(socket: ServerConnection) -> None:
        await say(socket, welcome(), {"type": "resync", "epoch": "e2", "head": 2})
        await socket.close(4000)

    server.plays = [restored, stop]
    await example.Agent(server.url, "kt_x").stay_connected()
    assert (server.hellos[1]["epoch"], server.hellos[1]["after"]) == ("e2", 2)


async def test_what_had_no_answer_is_asked_again(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[dict[str, Any]] = []

    async def deaf(socket: ServerConnection) -> None:
        await say(socket, welcome())
        asked.append(json.loads(await socket.recv()))
        await socket.close(1012)

    async def answering(socket: ServerConnection) -> None:
        await say(socket, welcome())
        asked.append(json.loads(await socket.recv()))
        await say(socket, {"id": asked[-1]["id"], "ok": True, "data": {"deduped": True}})
        asked.append(json.loads(await socket.recv()))
        error = {"code": "ALREADY_ASSIGNED", "message": "Taken.", "details": {}}
        await say(socket, {"id": asked[-1]["id"], "ok": False, "error": error})
        await stop(socket)

    server.plays = [deaf, answering]
    client = example.Agent(server.url, "kt_x")
    client.conversation_id = 7
    connected = asyncio.create_task(client.stay_connected())
    await client.obey("Hello there")
    await client.obey("/claim")
    await connected
    assert asked[0] == asked[1]
    assert asked[0]["type"] == "message.send"
    assert asked[0]["data"].pop("client_message_id")
    assert asked[0]["data"] == {"conversation_id": 7, "content": "Hello there"}
    assert asked[2]["type"] == "conversation.claim"
    assert "ALREADY_ASSIGNED: Taken." in capsys.readouterr().out


@pytest.mark.parametrize("code", sorted(example.STOP))
async def test_it_stops_where_trying_again_is_no_use(server: Server, code: int) -> None:
    async def refuse(socket: ServerConnection) -> None:
        await socket.close(code, "no")

    server.plays = [refuse]
    assert await example.Agent(server.url, "kt_x").stay_connected() == f"{code} no"


def test_it_stops_at_the_codes_that_say_so() -> None:
    final = {code for code in CloseCode if code.client.startswith(("Stop", "Sign in"))}
    assert final == example.STOP
