"""What a socket hears: in order, complete, and only its own."""

import asyncio

import pytest
from django.db import connection

from project import database
from realtime.consumers import agent as consumer
from realtime.hub import socket as outbox
from realtime.log import read
from realtime.models import StoredEvent
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
from webchat.models import Organization, Site
from webchat.principal import Agent, VisitorAccess

pytestmark = pytest.mark.django_db(transaction=True)


async def test_message_comes_whole_with_the_row_and_the_chain_of_numbers(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        await client.hello(token)
        sent = await database.write(say, visitor, "Is it open?", client_message_id="cm-1")
        started, created = await client.numbered(2)
    assert (started["type"], started["seq"], started["prev"]) == ("conversation.started", 1, 0)
    assert started["data"]["row"]["id"] == sent.conversation_id
    assert (created["type"], created["seq"], created["prev"]) == ("message.created", 2, 1)
    assert created["event_id"] == str(sent.event_id)
    assert created["conversation_id"] == sent.conversation_id
    assert created["data"]["content"] == "Is it open?"
    assert created["data"]["client_message_id"] == "cm-1"
    assert created["data"]["row"]["unread_count"] == 1


async def test_resume_brings_exactly_what_was_missed_then_live(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        epoch = (await client.hello(token))["epoch"]
        await database.write(say, visitor, "1")
        await client.numbered(2)
    for text in "23":
        await database.write(say, visitor, text)
    async with AgentClient() as client:
        assert (await client.hello(token, epoch=epoch, after=2))["head"] == 4
        missed = await client.numbered(2)
        await database.write(say, visitor, "4")
        live = await client.numbered(1)
    assert [(f["seq"], f["prev"], f["data"]["content"]) for f in missed + live] == [
        (3, 2, "2"),
        (4, 3, "3"),
        (5, 4, "4"),
    ]


async def test_resume_over_more_than_the_ring_is_complete(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    await database.write(say, visitor, "first")
    await database.write(_copy_last_event, 1500)
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        epoch = (await client.hello(token))["epoch"]
    async with AgentClient() as client:
        await client.hello(token, epoch=epoch, after=0)
        frames = await client.numbered(1502)
    assert [frame["seq"] for frame in frames] == list(range(1, 1503))
    assert [frame["prev"] for frame in frames] == list(range(1502))


def _copy_last_event(times: int) -> None:
    """A long log, as many messages would have left it."""
    last = StoredEvent.objects.order_by("seq").last()
    assert last is not None
    for _ in range(times):
        last.pk, last.stream_seq = None, None
        last.seq += 1
        last.agents_pending = last.visitor_pending = False
        last.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE realtime_organizationstream SET seq = %s", [2 + times])


@pytest.mark.parametrize("case", ["other epoch", "beyond the head", "trimmed"])
async def test_resume_that_the_log_cannot_serve_resyncs(
    process: Runtime, agent: Agent, visitor: VisitorAccess, case: str
) -> None:
    await database.write(say, visitor, "1")
    await database.write(say, visitor, "2")
    token = await database.write(make_token, agent)
    epoch = await database.read(read.get_epoch)
    hello = {
        "other epoch": {"epoch": "00000000", "after": 1},
        "beyond the head": {"epoch": epoch, "after": 9},
        "trimmed": {"epoch": epoch, "after": 1},
    }[case]
    if case == "trimmed":
        await database.write(StoredEvent.objects.filter(seq__lte=2).delete)
    async with AgentClient() as client:
        await client.hello(token, **hello)
        resync = await client.frame()
        assert resync == {"type": "resync", "epoch": epoch, "head": 3}
        await database.write(say, visitor, "3")
        (live,) = await client.numbered(1)
    assert (live["seq"], live["prev"]) == (4, 3)


async def test_hello_without_a_position_is_live_from_the_head(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    await database.write(say, visitor, "before")
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        assert (await client.hello(token))["head"] == 2
        assert await client.silence() == []


async def test_what_happens_while_the_welcome_is_on_its_way_is_not_missed(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        client.stop_reading()
        client.send("hello", {"token": token})
        await asyncio.sleep(0.3)
        await database.write(say, visitor, "in between")
        await asyncio.sleep(0.2)
        client.read_on()
        assert (await client.frame())["data"]["head"] == 0
        assert [(f["seq"], f["prev"]) for f in await client.numbered(2)] == [(1, 0), (2, 1)]


async def test_other_organizations_and_restricted_sites_are_not_heard(
    process: Runtime, organization: Organization, site: Site, agent: Agent
) -> None:
    hidden = await database.write(make_site, organization, is_restricted=True)
    stranger = await database.write(make_agent, await database.write(make_organization))
    tokens = [await database.write(make_token, one) for one in (agent, stranger)]
    seen = await database.write(open_visitor, site)
    unseen = await database.write(open_visitor, hidden)
    async with AgentClient() as client, AgentClient() as foreign:
        await client.hello(tokens[0])
        await foreign.hello(tokens[1])
        await database.write(say, unseen, "secret")
        await database.write(say, seen, "hello")
        frames = await client.numbered(2)
        assert await foreign.silence() == []
    assert [(f["seq"], f["prev"]) for f in frames] == [(3, 0), (4, 3)]


async def test_head_moves_past_what_may_not_be_seen(
    process: Runtime, organization: Organization, agent: Agent
) -> None:
    hidden = await database.write(make_site, organization, is_restricted=True)
    token = await database.write(make_token, agent)
    visitor = await database.write(open_visitor, hidden)
    async with AgentClient() as client:
        await client.hello(token)
        await database.write(say, visitor, "secret")
        await asyncio.sleep(0.1)
        await process.hub._beat()
        assert await client.event("head") == {"type": "head", "seq": 2, "prev": 0}


async def test_slow_reader_is_closed_4008_and_costs_the_others_nothing(
    process: Runtime, agent: Agent, visitor: VisitorAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "OUTBOX_FRAMES", 5)
    token = await database.write(make_token, agent)
    async with AgentClient() as slow, AgentClient() as quick:
        epoch = (await slow.hello(token))["epoch"]
        await quick.hello(token)
        slow.stop_reading()
        for number in range(10):
            await database.write(say, visitor, str(number))
        assert [f["seq"] for f in await quick.numbered(11)] == list(range(1, 12))
        slow.read_on()
        assert (await slow.closed()).code == 4008
    monkeypatch.undo()
    async with AgentClient() as again:
        await again.hello(token, epoch=epoch, after=0)
        assert [f["seq"] for f in await again.numbered(11)] == list(range(1, 12))


async def test_deaf_reader_is_dropped_within_a_deadline(
    process: Runtime, agent: Agent, visitor: VisitorAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "OUTBOX_FRAMES", 5)
    monkeypatch.setattr(consumer, "CLOSE_DEADLINE_S", 0.1)
    token = await database.write(make_token, agent)
    async with AgentClient() as deaf:
        await deaf.hello(token)
        deaf.stop_reading()
        for number in range(10):
            await database.write(say, visitor, str(number))
        async with asyncio.timeout(2):
            await deaf.task
    assert process.hub.sockets() == []


async def test_live_list_gets_its_counts(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    token = await database.write(make_token, agent)
    async with AgentClient() as client, AgentClient() as without_list:
        await client.hello(token)
        await without_list.hello(token)
        page = (await client.ask("list.subscribe", {"view": "unassigned"}))["data"]
        assert page["counts"] == {"mine": 0, "unassigned": 0, "all": 0}
        sent = await database.write(say, visitor, "1")
        changed = await client.event("counts.changed")
        assert changed["data"] == {"mine": 0, "unassigned": 1, "all": 1}
        await client.ask("conversation.claim", {"conversation_id": sent.conversation_id})
        changed = await client.event("counts.changed")
        assert changed["data"] == {"mine": 1, "unassigned": 0, "all": 1}
        heard = await without_list.silence()
        assert "counts.changed" not in {frame["type"] for frame in heard}


async def test_typing_and_viewing_reach_only_who_has_the_conversation_open(
    process: Runtime, organization: Organization, agent: Agent, visitor: VisitorAccess
) -> None:
    colleague = await database.write(make_agent, organization)
    sent = await database.write(say, visitor, "1")
    here = {"conversation_id": sent.conversation_id}
    tokens = [await database.write(make_token, one) for one in (agent, colleague, colleague)]
    async with AgentClient() as typist, AgentClient() as reader, AgentClient() as elsewhere:
        for client, token in zip((typist, reader, elsewhere), tokens, strict=True):
            await client.hello(token)
        await reader.ask("conversation.open", here)
        await typist.ask("viewing", here)
        await typist.ask("typing.start", {**here, "is_note": True})
        viewing = await reader.event("viewing.changed")
        assert viewing["data"]["viewing"] is True
        typing = await reader.event("typing.started")
        assert typing["data"] == {
            "sender_type": "USER",
            "sender_id": agent.user_id,
            "sender_name": agent.name,
            "is_note": True,
        }
        assert "seq" not in typing
        await typist.ask("viewing", {"conversation_id": None})
        assert (await reader.event("viewing.changed"))["data"]["viewing"] is False
        kinds = {frame["type"] for frame in await elsewhere.silence()}
        assert not kinds & {"typing.started", "viewing.changed"}


async def test_leaving_ends_viewing(
    process: Runtime, organization: Organization, agent: Agent, visitor: VisitorAccess
) -> None:
    colleague = await database.write(make_agent, organization)
    sent = await database.write(say, visitor, "1")
    here = {"conversation_id": sent.conversation_id}
    async with AgentClient() as reader:
        await reader.hello(await database.write(make_token, colleague))
        await reader.ask("conversation.open", here)
        async with AgentClient() as viewer:
            await viewer.hello(await database.write(make_token, agent))
            await viewer.ask("viewing", here)
            assert (await reader.event("viewing.changed"))["data"]["viewing"] is True
        assert (await reader.event("viewing.changed"))["data"]["viewing"] is False


async def test_note_reaches_agents_and_no_visitor_stream(
    process: Runtime, agent: Agent, visitor: VisitorAccess
) -> None:
    sent = await database.write(say, visitor, "1")
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        await client.hello(token)
        await database.write(answer, agent, sent.conversation_id, "note", is_public=False)
        (note,) = await client.numbered(1)
    assert note["data"]["is_public"] is False
    rows = await database.read(
        lambda: list(StoredEvent.objects.filter(visitor_payload__contains="note"))
    )
    assert rows == []
