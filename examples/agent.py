"""An agent in the terminal: `python examples/agent.py http://127.0.0.1:8000 kt_token`.

    /list          conversations with something new         /claim           make it mine
    /open 7        show one and go on in it                 /note text       a private note
    any text       answer the visitor                       /close reason    end it

A whole client of the agents' socket, to read and to begin with; docs/protocol.md says the rest.
"""

import asyncio
import json
import random
import sys
import uuid
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

STOP = {4400, 4401, 4403, 4413}  # Trying again would end the same way.


class Agent:
    """`epoch` and `after` are where we are in the stream: all that a reconnect needs."""

    def __init__(self, base_url: str, token: str) -> None:
        self.url = f"ws{base_url.rstrip('/').removeprefix('http')}/ws/agent"
        self.token = token
        self.epoch: str | None = None
        self.after: int | None = None
        self.conversation_id = 0
        self.asked: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.socket: ClientConnection | None = None

    async def stay_connected(self) -> None:
        """Connect again, later each time, until a close code says that there is no point."""
        failures = 0
        while True:
            wait_s = min(30, 2**failures) * random.uniform(0.5, 1)
            try:
                async with connect(self.url) as socket:
                    beat_s = await self.enter(socket)
                    failures = 0
                    while True:  # A head comes every few seconds: silence is a dead line.
                        self.take(json.loads(await asyncio.wait_for(socket.recv(), 3 * beat_s)))
            except ConnectionClosed as closed:
                code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
                if code in STOP:
                    sys.exit(f"Closed for good: {code} {reason}")
                if code == 4429:
                    wait_s = int(reason)
            except (OSError, WebSocketException) as error:
                print(f"-- no connection ({error}), trying again in {wait_s:.0f} s")
            self.socket = None
            failures += 1
            await asyncio.sleep(wait_s)

    async def enter(self, socket: ClientConnection) -> int:
        """Say hello with our position, then ask again what has had no answer yet."""
        hello = {"token": self.token, "epoch": self.epoch, "after": self.after}
        await socket.send(json.dumps({"id": "hello", "type": "hello", "data": hello}))
        welcome = json.loads(await socket.recv())["data"]
        if self.after is None:
            print(f"-- karibu, {welcome['agent']['name']}")
            self.epoch, self.after = welcome["epoch"], welcome["head"]
        self.socket = socket
        for frame in self.asked.values():
            await socket.send(json.dumps(frame))
        return int(welcome["heartbeat_s"])

    def take(self, frame: dict[str, Any]) -> None:
        """An answer goes to whoever asked; an event counts once, and only in its place."""
        if "ok" in frame:
            if answer := self.answers.pop(frame["id"], None):
                answer.set_result(frame)
        elif frame["type"] == "resync":  # Away too long: what we know of the past is void.
            self.epoch, self.after = frame["epoch"], frame["head"]
            print("-- missed too much to catch up: /list and /open show how things are")
        elif "seq" not in frame:
            pass  # Typing, presence, counts: an inbox would draw them.
        elif self.after is not None and frame["seq"] > self.after:
            if frame["prev"] > self.after:
                raise ConnectionError("a frame is missing")  # Resuming brings it.
            self.after = frame["seq"]
            if frame["type"] == "message.created":
                show(frame["conversation_id"], frame["data"])
            elif frame["type"].startswith("conversation."):
                print(f"-- [{frame['conversation_id']}] {frame['type'].partition('.')[2]}")

    async def ask(self, command: str, **data: Any) -> dict[str, Any] | None:
        """The answer's data, however often the line breaks meanwhile; None for a refusal."""
        key = uuid.uuid4().hex
        frame = self.asked[key] = {"id": key, "type": command, "data": data}
        self.answers[key] = asyncio.get_running_loop().create_future()
        if self.socket is not None:
            try:
                await self.socket.send(json.dumps(frame))
            except ConnectionClosed:
                pass  # `enter` sends it on the next connection.
        answer = await self.answers[key]
        del self.asked[key]
        if not answer["ok"]:
            print(f"-- {answer['error']['code']}: {answer['error']['message']}")
            return None
        found: dict[str, Any] = answer["data"]
        return found

    async def obey(self, line: str) -> None:
        """One line of the keyboard."""
        word, _, rest = line.partition(" ")
        here = {"conversation_id": self.conversation_id}
        if word == "/list":
            page = await self.ask("list.subscribe", view="all", status="open")
            for row in page["items"] if page else []:
                if row["unread_count"]:
                    name = row["contact"]["name"] or "Visitor"
                    print(f"[{row['id']}] {name}: {row['last_message']['preview']}")
        elif word == "/open":
            if opened := await self.ask("conversation.open", conversation_id=int(rest)):
                self.conversation_id = opened["conversation"]["id"]
                for message in opened["messages"]:
                    show(self.conversation_id, message)
                await self.ask("seen", conversation_id=int(rest), read_up_to=message["id"])
        elif word == "/claim":
            await self.ask("conversation.claim", **here)
        elif word == "/close":
            await self.ask("conversation.close", **here, reason=rest)
        else:  # The id makes it one message, even if the first answer was lost.
            command, text = ("note.add", rest) if word == "/note" else ("message.send", line)
            await self.ask(command, **here, content=text, client_message_id=uuid.uuid4().hex)


def show(conversation_id: int, message: dict[str, Any]) -> None:
    who = message["sender_name"] or "Visitor"
    note = "" if message["is_public"] else " (note)"
    print(f"[{conversation_id}] {who}{note}: {message['content']}")


async def main(base_url: str, token: str) -> None:
    agent = Agent(base_url, token)
    connection = asyncio.create_task(agent.stay_connected())
