"""Every command's answer, refusals included."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from project import database
from realtime.commands import COMMANDS
from realtime.consumers.handlers import HANDLERS
from realtime.runtime import Runtime
from tests.factories import (
    answer,
    make_agent,
    make_organization,
    make_site,
    make_token,
    open_visitor,
    say,
)
from tests.realtime.consumers.client import AgentClient
from webchat.models import Conversation, Site
from webchat.principal import Agent, VisitorAccess

pytestmark = pytest.mark.django_db(transaction=True)

DATA: dict[str, dict[str, Any]] = {
    "message.send": {"content": "hello"},
    "note.add": {"content": "hello"},
    "seen": {"read_up_to": 1},
}
ON_CONVERSATION = sorted(
    name for name, model in COMMANDS.items() if "conversation_id" in model.model_fields
)


def test_every_command_has_a_handler() -> None:
    assert HANDLERS.keys() == COMMANDS.keys()


async def test_conversation_is_worked_from_open_to_close(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    sent = await database.write(say, visitor, "Is it open?")
    here = {"conversation_id": sent.conversation_id}
    async with AgentClient() as client:
        await client.hello(await database.write(make_token, agent))
        opened = (await client.ask("conversation.open", here))["data"]
        assert [message["content"] for message in opened["messages"]] == ["Is it open?"]
        assert (opened["has_more"], opened["seq"]) == (False, 2)
        claimed = (await client.ask("conversation.claim", here))["data"]["conversation"]
        assert claimed["assignee"] == {"id": agent.user_id, "name": agent.name}
        write = {**here, "content": "Yes", "client_message_id": "k"}
        first = (await client.ask("message.send", write))["data"]
        again = (await client.ask("message.send", write))["data"]
        assert (first["deduped"], again["deduped"]) == (False, True)
        assert again["message"] == first["message"]
        note = (await client.ask("note.add", {**here, "content": "nice"}))["data"]["message"]
        assert note["is_public"] is False
        closed = (await client.ask("conversation.close", {**here, "reason": "done"}))["data"]
        assert closed["conversation"]["status"] == "closed"
        reopened = (await client.ask("conversation.reopen", here))["data"]
        assert reopened["conversation"]["status"] == "open"
        freed = (await client.ask("conversation.assign", here))["data"]
        assert freed["conversation"]["assignee"] is None
        assert (await client.ask("presence.set", {"status": "away"}))["data"] == {"status": "away"}


async def test_seen_moves_the_mark_and_tells_others(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    sent = await database.write(say, visitor, "1")
    async with AgentClient() as client:
        await client.hello(await database.write(make_token, agent))
        data = {"conversation_id": sent.conversation_id, "read_up_to": sent.message_id}
        assert (await client.ask("seen", data))["ok"]
        seen = await client.event("seen.updated")
        assert seen["data"]["read_up_to"] == sent.message_id
        assert seen["data"]["row"] == {"id": sent.conversation_id, "unread_count": 0}


@pytest.mark.parametrize("name", ON_CONVERSATION)
async def test_conversation_of_another_organization_is_not_found(
    process: Runtime, agent: Agent, name: str
) -> None:
    foreign_site = await database.write(make_site, await database.write(make_organization))
    sent = await database.write(say, await database.write(open_visitor, foreign_site), "theirs")
    async with AgentClient() as client:
        await client.hello(await database.write(make_token, agent))
        data = {**DATA.get(name, {}), "conversation_id": sent.conversation_id}
        refused = await client.ask(name, data)
        assert refused["error"]["code"] == "NOT_FOUND"
        unknown = await client.ask(name, {**data, "conversation_id": 2**63 - 1})
        assert unknown["error"] == refused["error"]


async def test_viewing_goes_on_when_what_was_looked_at_is_out_of_sight(
    process: Runtime, agent: Agent, site: Site, visitor: VisitorAccess
) -> None:
    other_site = await database.write(make_site, await database.read(lambda: site.organization))
    hidden = await database.write(say, visitor, "1")
    other = await database.write(say, await database.write(open_visitor, other_site), "2")
    async with AgentClient() as client:
        await client.hello(await database.write(make_token, agent))
        assert (await client.ask("viewing", {"conversation_id": hidden.conversation_id}))["ok"]
        await database.write(Site.objects.filter(pk=site.pk).update, is_restricted=True)
        await process.hub._recheck()
        assert (await client.ask("viewing", {"conversation_id": other.conversation_id}))["ok"]
        assert (await client.ask("viewing", {"conversation_id": None}))["ok"]


async def test_agent_of_another_organization_cannot_be_assigned(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    stranger = await database.write(make_agent, await database.write(make_organization))
    sent = await database.write(say, visitor, "1")
    async with AgentClient() as client:
        await client.hello(await database.write(make_token, agent))
        data = {"conversation_id": sent.conversation_id, "agent_id": stranger.user_id}
        assert (await client.ask("conversation.assign", data))["error"]["code"] == "NOT_FOUND"


async def test_read_only_token_may_look_and_not_write(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    sent = await database.write(say, visitor, "1")
    here = {"conversation_id": sent.conversation_id}
    async with AgentClient() as client:
        await client.hello(await database.write(make_token, agent, ("read",)))
        assert (await client.ask("conversation.open", here))["ok"]
        for name in sorted(set(COMMANDS) - {"list.subscribe", "conversation.open"}):
            data = {"status": "away"} if name == "presence.set" else {**DATA.get(name, {}), **here}
            assert (await client.ask(name, data))["error"]["code"] == "FORBIDDEN", name


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"content": "x"}, "conversation_id"),
        ({"conversation_id": "1", "content": "x"}, "conversation_id"),
        ({"conversation_id": 2**63, "content": "x"}, "conversation_id"),
        ({"conversation_id": 1}, "content"),
        ({"conversation_id": 1, "content": "a\x00b"}, "content"),
        ({"conversation_id": 1, "content": "half an emoji \ud83d"}, "content"),
        ({"conversation_id": 1, "content": "x", "client_message_id": ""}, "client_message_id"),
    ],
)
async def test_wrong_field_is_named(
    process: Runtime, agent: Agent, data: dict[str, Any], field: str
) -> None:
    async with AgentClient() as client:
        await client.hello(await database.write(make_token, agent))
        error = (await client.ask("message.send", data))["error"]
        assert (error["code"], error["details"]["field"]) == ("INVALID_ARGUMENT", field)


async def test_unknown_fields_are_ignored(process: Runtime, agent: Agent) -> None:
    async with AgentClient() as client:
        await client.hello(await database.write(make_token, agent))
        assert (await client.ask("list.subscribe", {"view": "all", "later": [1]}))["ok"]


@pytest.mark.parametrize("cursor", ["x", "", "AAAA", "WzEsMl0"])
async def test_made_up_cursor_is_an_invalid_argument(
    process: Runtime, agent: Agent, cursor: str
) -> None:
    async with AgentClient() as client:
        await client.hello(await database.write(make_token, agent))
        error = (await client.ask("list.subscribe", {"cursor": cursor}))["error"]
        assert error["code"] == "INVALID_ARGUMENT"


TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=50)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@st.composite
def frames(draw: st.DrawFn) -> dict[str, Any]:
    """A command with fields of its own type, some of them right and some anything."""
    name = draw(st.sampled_from([*sorted(COMMANDS), "unknown"]))
    fields = COMMANDS[name].model_fields if name in COMMANDS else {}
    good: dict[str, st.SearchStrategy[Any]] = {
        "conversation_id": st.sampled_from([1, 2, None]),
        "content": TEXT,
        "client_message_id": st.sampled_from(["a", "b"]),
        "read_up_to": st.integers(0, 50),
        "status": st.sampled_from(["available", "open", "closed", "busy"]),
        "view": st.sampled_from(["mine", "all"]),
        "is_note": st.booleans(),
    }
    data = {
        field: draw(st.one_of(good.get(field, JSON), JSON))
        for field in fields
        if draw(st.booleans()) or field == "conversation_id"
    }
    return {"type": name, "data": data}


async def test_no_command_breaks_a_socket(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    sent = await database.write(say, visitor, "1")
    await database.write(answer, agent, sent.conversation_id, "2")
    token = await database.write(make_token, agent)

    for history in _histories():
        async with AgentClient() as client:
            await client.hello(token)
            for frame in history:
                reply = await client.ask(frame["type"], frame["data"])
                assert reply["ok"] or reply["error"]["code"] != "INTERNAL", (frame, reply)
    assert await database.read(Conversation.objects.count) == 1


def _histories() -> list[list[dict[str, Any]]]:
    """Hypothesis cannot drive an asynchronous test that shares its loop with fixtures."""
    drawn: list[list[dict[str, Any]]] = []

    @settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.lists(frames(), min_size=1, max_size=8))
    def draw(generated: list[dict[str, Any]]) -> None:
        drawn.append(generated)

    draw()
    return drawn
