"""An agent in the terminal: `python examples/agent.py http://127.0.0.1:8000 kt_token`.

    /open 7      show a conversation and go on in it     /claim           make it mine
    any text     answer the visitor                      /note text       a private note
    /list        what waits for an answer                /close reason    end it

A whole client of the agents' socket, to read and to begin with; docs/protocol.md says the rest.
"""

import asyncio
import json
import random
import sys
import uuid
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

STOP = {4400, 4401, 4403, 4413}  # After these, trying again would end the same way.


class Agent:
    """`epoch` and `after` are our place in the stream: all that a reconnect needs."""

    def __init__(self, base_url: str, token: str) -> None:
        self.url = f"ws{base_url.rstrip('/').removeprefix('http')}/ws/agent"
        self.token = token
        self.epoch: str | None = None
        self.after: int | None = None
        self.conversation_id = 0
        self.socket: ClientConnection | None = None
        self.asked: dict[str, tuple[str, asyncio.Future[dict[str, Any]]]] = {}

    async def stay_connected(self) -> str:
        """Connect, and again after a wait that grows; returns a close reason that is for good."""
        failures = 0
        while True:
            wait_s = min(30, 2**failures) * random.uniform(0.5, 1)  # noqa: S311 jitter
            try:
                async with connect(self.url) as socket:
                    silence_s = 3 * await self.enter(socket)
                    failures = 0
                    while True:  # A head comes every few seconds, so silence means a dead line.
                        self.take(json.loads(await asyncio.wait_for(socket.recv(), silence_s)))
            except ConnectionClosed as closed:
                code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
                if code in STOP:
                    return f"{code} {reason}"
                if code == 4429:
                    wait_s = int(reason)
            except (OSError, WebSocketException) as broken:
                print(f"-- no connection: {broken}")
            self.socket = None
            failures += 1
            await asyncio.sleep(wait_s)

    async def enter(self, socket: ClientConnection) -> int:
        """Say hello from our place, then ask again whatever has had no answer."""
        hello = {"token": self.token, "epoch": self.epoch, "after": self.after}
        await socket.send(json.dumps({"id": 0, "type": "hello", "data": hello}))
        welcome = json.loads(await socket.recv())["data"]
        if self.after is None:
            self.epoch, self.after = welcome["epoch"], welcome["head"]
        self.socket = socket
        for frame, _ in self.asked.values():
            await socket.send(frame)
        return int(welcome["heartbeat_s"])

    def take(self, frame: dict[str, Any]) -> None:
        """An answer goes to whoever asked; an event counts once, and only in its place."""
        if "ok" in frame:
            self.asked.pop(frame["id"])[1].set_result(frame)
        elif frame["type"] == "resync":
            self.epoch, self.after = frame["epoch"], frame["head"]
            print("-- away too long to catch up: /list and /open show how things are now")
        elif "seq" in frame and self.after is not None and frame["seq"] > self.after:
            if frame["prev"] > self.after:
                raise ConnectionError("a frame is missing")  # Resuming brings it.
            self.after = frame["seq"]
            if frame["type"] == "message.created":
                show(frame["conversation_id"], frame["data"])
            elif frame["type"].startswith("conversation."):
                print(f"-- [{frame['conversation_id']}] {frame['type'].partition('.')[2]}")

    async def ask(self, command: str, **data: Any) -> dict[str, Any]:
        """The answer's data, however often the line breaks meanwhile; empty for a refusal."""
        key, future = uuid.uuid4().hex, asyncio.get_running_loop().create_future()
        frame = json.dumps({"id": key, "type": command, "data": data})
        self.asked[key] = frame, future
        if self.socket is not None:
            with suppress(ConnectionClosed):  # Then `enter` sends it on the next connection.
                await self.socket.send(frame)
        answer = await future
        if not answer["ok"]:
            print(f"-- {answer['error']['code']}: {answer['error']['message']}")
        return answer.get("data") or {}

    async def obey(self, line: str) -> None:
        """Do what was typed."""
        word, _, rest = line.partition(" ")
        here = {"conversation_id": self.conversation_id}
        if word == "/list":
            page = await self.ask("list.subscribe", view="all", status="open")
            for row in [row for row in page.get("items", []) if row["unread_count"]]:
                name = row["contact"]["name"] or "Visitor"
                print(f"[{row['id']}] {name}: {row['last_message']['preview']}")
        elif word == "/open" and rest.isdecimal():
            if opened := await self.ask("conversation.open", conversation_id=int(rest)):
                self.conversation_id = int(rest)
                for message in opened["messages"]:
                    show(self.conversation_id, message)
        elif word in {"/claim", "/close"}:
            reason = {"reason": rest} if word == "/close" else {}
            await self.ask(f"conversation.{word[1:]}", **here, **reason)
        elif line and (word == "/note" or not line.startswith("/")):
            command, text = ("note.add", rest) if word == "/note" else ("message.send", line)
            # The client's own id makes it one message, however often it is sent.
            await self.ask(command, **here, content=text, client_message_id=uuid.uuid4().hex)
        else:
            print(__doc__)


def show(conversation_id: int, message: dict[str, Any]) -> None:
    who = message["sender_name"] or "Visitor"
    note = "" if message["is_public"] else " (note)"
    print(f"[{conversation_id}] {who}{note}: {message['content']}")


async def main(base_url: str, token: str) -> None:
    agent = Agent(base_url, token)
    keyboard = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(keyboard)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)

    async def type_and_obey() -> str:
        await agent.obey("/list")
        while line := await keyboard.readline():
            await agent.obey(line.decode().strip())
        return "goodbye"

    ways_to_end = [asyncio.create_task(way) for way in (agent.stay_connected(), type_and_obey())]
    ended, others = await asyncio.wait(ways_to_end, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        other.cancel()
    print(f"-- {ended.pop().result()}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
