"""People who talk on whatever happens to the server, and what must be true of it at the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from random import Random
from time import monotonic
from typing import Any, Literal, Self, get_args

from tests.chaos.visitor import RETRY_S, Tab, Visitor
from tests.services.agent import AgentClient, Frame, Refused
from tests.services.karibu import KaribuServer

VISITORS = 4
AGENTS = 3
PAUSE_S = 0.05
"""Between two messages of a visitor, on average; each is answered by an agent."""
REST_S = 1
"""How long the server lives at most before its end is decided."""
LINE_LASTS_S = 2
"""How long a connection lasts, on average, before it is lost without the server's doing."""
CLOSED_AFTER = 40
"""Answers, on average: then the visitor's next message opens another conversation."""
QUIET_WITHIN_S = 10
"""What a crash left undelivered is taken up 2 s after its time, in rounds of a second."""

MESSAGES = """
SELECT message.id, message.external_id, visitor.visitor_id, message.conversation_id
FROM webchat_message AS message
JOIN webchat_conversation AS conversation ON conversation.id = message.conversation_id
JOIN webchat_visitor AS visitor ON visitor.contact_id = conversation.contact_id
ORDER BY message.id
"""
EVENTS = """
SELECT event.organization_id, event.seq, event.stream_seq, channel.visitor_id
FROM realtime_storedevent AS event
LEFT JOIN realtime_visitorchannel AS channel ON channel.contact_id = event.contact_id
ORDER BY event.seq
"""
PENDING = "SELECT id FROM realtime_storedevent WHERE agents_pending OR visitor_pending"


Moment = Literal["whenever", "heard", "acknowledged"]
"""When the server dies: just as somebody has heard an event, or has had a message acknowledged."""


class World:
    """Visitors write, agents answer each message and end a conversation now and then, lines break.

    The first fault of anybody ends the test.
    """

    def __init__(self, server: KaribuServer, random: Random, *, breaking_lines: bool) -> None:
        self.visitors: list[Visitor] = []
        self.agents: list[AgentClient] = []
        self._server = server
        self._random = random
        self._breaking_lines = breaking_lines
        self._answered: dict[str, int] = {}
        self._failed_answers = 0
        self._too_late = 0
        self._tasks = asyncio.TaskGroup()
        self._writers: list[asyncio.Task[None]] = []
        self._others: list[asyncio.Task[None]] = []
        self._is_quiet = False
        self._doom: Moment = "whenever"
        self._is_dead = asyncio.Event()
        self._is_dead.set()

    @classmethod
    @asynccontextmanager
    async def inhabited(
        cls, server: KaribuServer, random: Random, *, breaking_lines: bool = True
    ) -> AsyncIterator[Self]:
        """Everybody is connected and has begun to write."""
        world = cls(server, random, breaking_lines=breaking_lines)
        async with AsyncExitStack() as stack:
            for agent in server.demo["agents"]:
                client = AgentClient(server.base_url, agent["token"])
                world.agents.append(await stack.enter_async_context(client))
            for _ in range(VISITORS):
                visitor = Visitor(server.base_url, server.demo["site"]["widget_key"], random)
                world.visitors.append(await stack.enter_async_context(aclosing(visitor)))
            async with world._tasks:
                await world._begin()
                yield world
                world._end()

    @property
    def tabs(self) -> list[Tab]:
        return [tab for visitor in self.visitors for tab in visitor.tabs]

    @property
    def failures(self) -> int:
        """How often the server has owned up to a failure."""
        return self._failed_answers + sum(visitor.failed for visitor in self.visitors)

    @property
    def listeners(self) -> list[AgentClient | Tab]:
        return [*self.agents, *self.tabs]

    async def open_tab(self, visitor: Visitor) -> None:
        """One more page of a visitor, in the middle of whatever happens."""
        tab = await visitor.open_tab()
        self._others += [
            self._tasks.create_task(tab.listen()),
            self._tasks.create_task(self._break(tab)),
        ]

    async def kill(self) -> None:
        """Let the server die within a second or so."""
        self._is_dead.clear()
        await asyncio.sleep(self._random.uniform(0, REST_S))
        self._doom = self._random.choice(get_args(Moment))
        self._strike("whenever")
        await self._is_dead.wait()

    async def fall_silent(self) -> None:
        """Let everybody end what they have begun, and hear what there is to hear."""
        self._is_quiet = True
        await asyncio.gather(*self._writers)
        deadline = monotonic() + QUIET_WITHIN_S
        while missing := self._list_missing():
            assert monotonic() < deadline, missing
            await asyncio.sleep(0.05)

    async def check(self) -> None:
        """Every acknowledged message is stored once, and has reached everybody once, in order."""
        ours = {visitor.visitor_id for visitor in self.visitors}
        rows = [row for row in self._server.query(MESSAGES) if row[2] in ours]
        acknowledged = dict(self._answered)
        for visitor in self.visitors:
            acknowledged |= visitor.acknowledged
        assert {key.partition(":")[2]: id for id, key, *_ in rows} == acknowledged
        assert len(rows) == len(acknowledged)
        for visitor in self.visitors:
            ids = [id for id, _, visitor_id, _ in rows if visitor_id == visitor.visitor_id]
            for tab in visitor.tabs:
                _check_tab(tab, ids)
        for agent in self.agents:
            _check_agent(agent, [id for id, *_ in rows])
            for conversation_id in {conversation_id for *_, conversation_id in rows}:
                ids = [id for id, *_, place in rows if place == conversation_id]
                await _check_snapshot(agent, conversation_id, ids)

    def _list_missing(self) -> list[str]:
        """Name who has not heard everything yet, and what the log still has to deliver."""
        events = self._server.query(EVENTS)
        organization_id = self._server.demo["organization"]["id"]
        head = max(seq for organization, seq, _, _ in events if organization == organization_id)
        missing = [
            f"agent {agent.me['id']} is at {agent.after} of {head}"
            for agent in self.agents
            if agent.after != head
        ]
        for visitor in self.visitors:
            numbers = [seq for _, _, seq, visitor_id in events if visitor_id == visitor.visitor_id]
            assert numbers == list(range(1, len(numbers) + 1))
            missing += [
                f"a tab of {visitor.visitor_id} is at {tab.offset} of {len(numbers)}"
                for tab in visitor.tabs
                if tab.offset != len(numbers)
            ]
        asked = sum(len(visitor.acknowledged) for visitor in self.visitors)
        if asked != len(self._answered) + self._too_late:
            missing.append(f"{len(self._answered)} answers to {asked} messages")
        if pending := self._server.query(PENDING):
            missing.append(f"{len(pending)} events are pending")
        return missing

    async def _begin(self) -> None:
        for number, agent in enumerate(self.agents):
            agent.listeners.append(self._answerer(number, agent))
            self._others += [
                self._tasks.create_task(agent.stays()),
                self._tasks.create_task(self._break(agent)),
            ]
        for visitor in self.visitors:
            await visitor.begin()
            await self.open_tab(visitor)
            self._writers.append(self._tasks.create_task(self._write(visitor)))

    def _end(self) -> None:
        for task in self._others:
            task.cancel()

    def _strike(self, moment: Moment) -> None:
        """Kill the server if that's the moment; at once, before anybody does anything else."""
        if moment == self._doom and not self._is_dead.is_set():
            self._server.kill()
            self._is_dead.set()

    def _answerer(self, number: int, agent: AgentClient) -> Callable[[Frame], None]:
        def listen(frame: Frame) -> None:
            self._strike("heard")
            if frame["type"] != "message.created" or frame["data"]["sender_type"] != "CONTACT":
                return
            conversation_id, message_id = frame["conversation_id"], frame["data"]["id"]
            if conversation_id % len(self.agents) == number:
                self._tasks.create_task(self._answer(agent, conversation_id, message_id))

        return listen

    async def _answer(self, agent: AgentClient, conversation_id: int, message_id: int) -> None:
        key = f"re-{message_id}"
        while key not in self._answered:
            try:
                message = await agent.say(conversation_id, f"Answer to {message_id}", key)
            except Refused as refused:
                if refused.code == "CONVERSATION_SUPERSEDED":
                    self._too_late += 1
                    return
                if refused.code != "INTERNAL":
                    raise
                self._failed_answers += 1
                await asyncio.sleep(RETRY_S)
            else:
                self._answered[key] = message["id"]
        if self._random.randrange(CLOSED_AFTER) == 0 and not self._is_quiet:
            await agent.ask("conversation.close", conversation_id=conversation_id)

    async def _write(self, visitor: Visitor) -> None:
        number = 0
        while not self._is_quiet:
            number += 1
            await visitor.write(f"Question {number}")
            self._strike("acknowledged")
            await asyncio.sleep(self._random.expovariate(1 / PAUSE_S))

    async def _break(self, client: AgentClient | Tab) -> None:
        while self._breaking_lines:
            await asyncio.sleep(self._random.expovariate(1 / LINE_LASTS_S))
            client.drop()


def _check_tab(tab: Tab, stored: list[int]) -> None:
    """The bootstrap and what came live make the history; nothing came live twice or out of turn."""
    assert tab.heard == sorted(set(tab.heard))
    oldest = tab.snapshot[0] if tab.snapshot else 0
    assert sorted({*tab.snapshot, *tab.heard}) == [id for id in stored if id >= oldest]


def _check_agent(agent: AgentClient, stored: list[int]) -> None:
    created: list[Any] = [frame for frame in agent.events if frame["type"] == "message.created"]
    assert len({event["event_id"] for event in agent.events}) == len(agent.events)
    assert sorted(event["data"]["id"] for event in created) == stored


async def _check_snapshot(agent: AgentClient, conversation_id: int, stored: list[int]) -> None:
    opened = await agent.ask("conversation.open", conversation_id=conversation_id)
    assert [message["id"] for message in opened["messages"]] == stored[-50:]
