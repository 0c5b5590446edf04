"""The official clients behind one interface, so that each scenario runs with both.

Events are dicts as centrifuge-js gives them; `of` is "client" or "subscription".
"""

import asyncio
import json
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import centrifuge  # type: ignore[import-untyped]  # it ships no types

from tests.contract.backends import (
    Backend,
    connection_token,
    new_visitor,
    subscription_token,
)

REPOSITORY = Path(__file__).parents[2]
DRIVER = REPOSITORY / "tests" / "node" / "gateway_client.mjs"
PATIENCE_S = 10
Event = dict[str, Any]


class OfficialClient(ABC):
    """One visitor's client. `since`: where it continues from at its first subscribe."""

    def __init__(
        self,
        backend: Backend,
        *,
        visitor: str | None = None,
        since: dict[str, Any] | None = None,
        tokens: tuple[str, str] | None = None,
    ) -> None:
        self.backend = backend
        self.visitor = visitor or new_visitor()
        self.channel = f"visitor:{self.visitor}"
        self.since = since
        self.tokens = tokens or (connection_token(self.visitor), subscription_token(self.visitor))
        self.events: list[Event] = []
        self._news = asyncio.Event()

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    @abstractmethod
    async def give(self, of: str, token: str) -> None:
        """What getToken answers from now on."""

    @abstractmethod
    async def ask(self, command: str, **arguments: Any) -> Any:
        """Call a method of the subscription or the client; the answer, or the error's code."""

    def note(self, event: str, of: str, **context: Any) -> None:
        self.events.append({"event": event, "of": of, **context})
        self._news.set()

    async def hear(self, event: str, of: str = "subscription", *, count: int = 1) -> Event:
        """Wait for the event to have happened so many times; the last of them."""
        async with asyncio.timeout(PATIENCE_S):
            while len(found := self.heard(event, of)) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]

    def heard(self, event: str, of: str = "subscription") -> list[Event]:
        return [known for known in self.events if (known["event"], known["of"]) == (event, of)]

    async def hear_publications(self, *numbers: int) -> None:
        """Wait for these, and find that they came once each and in order."""
        await self.hear("publication", count=len(numbers))
        assert [event["data"]["n"] for event in self.heard("publication")] == list(numbers)


class PythonClient(OfficialClient):
    async def __aenter__(self) -> Self:
        self._given = {"client": self.tokens[0], "subscription": self.tokens[1]}
        self._client = centrifuge.Client(
            self.backend.url,
            events=_Notes(self, "client"),
            token=self.tokens[0],
            get_token=lambda: self._get_token("client"),
            proxy=None,
        )
        position = self.since and centrifuge.StreamPosition(**self.since)

        async def get_state(_channel: str) -> Any:
            return position

        self._subscription = self._client.new_subscription(
            self.channel,
            events=_Notes(self, "subscription"),
            token=self.tokens[1],
            get_token=lambda _channel: self._get_token("subscription"),
            get_state=get_state if position else None,
        )
        await self._subscription.subscribe()
        await self._client.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        connection = self._client._conn
        await self._client.disconnect()
        if connection is not None:
            await connection.wait_closed()

    async def give(self, of: str, token: str) -> None:
        self._given[of] = token

    async def ask(self, command: str, **arguments: Any) -> Any:
        owner = self._client if command == "rpc" else self._subscription
        name = {"presenceStats": "presence_stats"}.get(command, command)
        try:
            return await getattr(owner, name)(**arguments)
        except centrifuge.ReplyError as error:
            return error.code
        except centrifuge.CentrifugeError:  # the connection closed before an answer
            return None

    async def _get_token(self, of: str) -> str:
        self.note("getToken", of)
        return self._given[of]


class _Notes:
    """Stands for both of the client's handler classes."""

    def __init__(self, client: PythonClient, of: str) -> None:
        self._client = client
        self._of = of

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("on_"):
            raise AttributeError(name)

        async def note(context: Any) -> None:
            fields = dict(vars(context))
            publication = fields.pop("pub", None)
            if publication is not None:
                fields |= {"data": publication.data, "offset": publication.offset}
            if "was_recovering" in fields:
                fields["wasRecovering"] = fields["was_recovering"]
            self._client.note(name.removeprefix("on_"), self._of, **fields)

        return note


class NodeClient(OfficialClient):
    async def __aenter__(self) -> Self:
        config: dict[str, Any] = {
            "url": self.backend.url,
            "connection_token": self.tokens[0],
            "subscription_token": self.tokens[1],
            "channel": self.channel,
            "seconds": 60,
            "options": {"minReconnectDelay": 100},
        }
        if self.since:
            config["since"] = self.since
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(DRIVER),
            json.dumps(config),
            cwd=REPOSITORY,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._reader = asyncio.ensure_future(self._read())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        with suppress(ConnectionError):
            await self._process.stdin.wait_closed()
        await self._process.wait()
        await self._reader

    async def give(self, of: str, token: str) -> None:
        await self._tell("token", of=of, value=token)

    async def ask(self, command: str, **arguments: Any) -> Any:
        await self._tell(command, **arguments)
        async with asyncio.timeout(PATIENCE_S):
            while not (answers := [e for e in self.events if e.get("cmd") == command]):
                self._news.clear()
                await self._news.wait()
        answer = answers[-1]
        return answer["error"].get("code") if "error" in answer else answer["value"]

    async def _tell(self, command: str, **arguments: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"cmd": command, **arguments}).encode() + b"\n")
        await self._process.stdin.drain()

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            self.note(**{"of": "", **json.loads(line)})
