"""Who gets in, and how those who don't are told."""

import asyncio
import json

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from project import database
from realtime.consumers import agent as consumer
from realtime.consumers import limits
from realtime.runtime import Runtime
from tests.factories import make_agent, make_token
from tests.realtime.consumers.client import AgentClient
from webchat.models import ApiToken, Membership, Organization, User
from webchat.principal import Agent

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(agent: Agent) -> str:
    user = User.objects.get(pk=agent.user_id)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    assert session.session_key is not None
    return session.session_key


def cookie(session_key: str, origin: str | None) -> dict[str, str]:
    headers = {"cookie": f"{settings.SESSION_COOKIE_NAME}={session_key}"}
    return headers if origin is None else {**headers, "origin": origin}


async def test_hello_with_a_token_is_welcomed(process: Runtime, agent: Agent) -> None:
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        welcome = await client.hello(token)
    assert welcome["agent"]["id"] == agent.user_id
    assert welcome["head"] == 0
    assert welcome["heartbeat_s"] == 5
    assert welcome["epoch"]
    assert welcome["server_time"].endswith("Z")
    assert len(welcome["connection_id"]) == 32


async def test_hello_with_a_session_cookie_from_the_own_origin_is_welcomed(
    process: Runtime, agent: Agent
) -> None:
    session_key = await database.write(sign_in, agent)
    async with AgentClient(cookie(session_key, settings.BASE_URL)) as client:
        assert (await client.hello())["agent"]["id"] == agent.user_id


@pytest.mark.parametrize(
    "origin",
    [None, "https://evil.example", "http://127.0.0.1:1", "https://127.0.0.1:8000", "null"],
)
async def test_session_cookie_from_another_origin_is_refused(
    process: Runtime, agent: Agent, origin: str | None
) -> None:
    session_key = await database.write(sign_in, agent)
    async with AgentClient(cookie(session_key, origin)) as client:
        closed = await client.closed()
    assert (closed.code, closed.reason) == (4403, "origin refused")


async def test_token_works_from_any_origin_without_a_cookie(process: Runtime, agent: Agent) -> None:
    token = await database.write(make_token, agent)
    async with AgentClient({"origin": "https://tools.example"}) as client:
        assert (await client.hello(token))["agent"]["id"] == agent.user_id


@pytest.mark.parametrize("token", ["kt_wrong", "", "kt_" + "x" * 4000])
async def test_unknown_token_closes_4401(process: Runtime, agent: Agent, token: str) -> None:
    async with AgentClient() as client:
        client.send("hello", {"token": token})
        assert (await client.closed()).code == 4401


async def test_missing_hello_closes_4401(process: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "HELLO_S", 0.05)
    async with AgentClient() as client:
        assert (await client.closed()).code == 4401


async def test_command_before_hello_closes_4401(process: Runtime) -> None:
    async with AgentClient() as client:
        client.send("list.subscribe")
        assert (await client.closed()).code == 4401


@pytest.mark.parametrize(
    "text", ["", "hello", "[]", "null", "1", '{"id": 1}', '{"type": 5}', '{"id": [], "type": "x"}']
)
async def test_what_is_no_frame_closes_4400(process: Runtime, agent: Agent, text: str) -> None:
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        await client.hello(token)
        client.send_text(text)
        assert (await client.closed()).code == 4400


async def test_frame_over_128_kib_closes_4413(process: Runtime, agent: Agent) -> None:
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        await client.hello(token)
        frame = json.dumps({"id": 1, "type": "x", "data": {}})
        client.send_text(frame + " " * (128 * 1024 - len(frame)))
        assert (await client.frame())["error"]["code"] == "UNKNOWN_COMMAND"
        client.send_text(frame + " " * (128 * 1024 - len(frame) + 1))
        assert (await client.closed()).code == 4413


async def test_flood_closes_4429_with_the_seconds_to_wait(
    process: Runtime, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BURST", 5)
    monkeypatch.setattr(limits, "PER_SECOND", 1)
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        await client.hello(token)
        for _ in range(6):
            client.send("bogus")
        closed = await client.closed()
    assert closed.code == 4429
    assert closed.reason == "5"


async def test_maximum_age_closes_4000(
    process: Runtime, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "MAXIMUM_AGE_S", 0.1)
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        await client.hello(token)
        assert (await client.closed()).code == 4000


async def test_drain_closes_1012_and_newcomers_too(process: Runtime, agent: Agent) -> None:
    token = await database.write(make_token, agent)
    async with AgentClient() as first, AgentClient() as second:
        await first.hello(token)
        await second.hello(token)
        await process.hub.drain(0.1)
        assert (await first.closed()).code == 1012
        assert (await second.closed()).code == 1012
    async with AgentClient() as late:
        await late.hello(token)
        assert (await late.closed()).code == 1012


def revoke_membership(agent: Agent) -> None:
    Membership.objects.filter(pk=agent.membership_id).update(revoked_at=timezone.now())


def deactivate(agent: Agent) -> None:
    User.objects.filter(pk=agent.user_id).update(is_active=False)


def revoke_token(agent: Agent) -> None:
    ApiToken.objects.filter(membership_id=agent.membership_id).update(revoked_at=timezone.now())


@pytest.mark.parametrize("end", [revoke_membership, deactivate, revoke_token])
async def test_end_of_membership_user_or_token_closes_4403_within_two_seconds(
    process: Runtime, agent: Agent, organization: Organization, end: object
) -> None:
    other = await database.write(make_agent, organization)
    token = await database.write(make_token, agent)
    other_token = await database.write(make_token, other)
    async with AgentClient() as client, AgentClient() as bystander:
        await client.hello(token)
        await bystander.hello(other_token)
        await database.write(end, agent)  # type: ignore[arg-type]  # one of the three
        async with asyncio.timeout(2):
            closed = await client.closed()
        assert closed.code == 4403
        assert (await bystander.ask("list.subscribe"))["ok"]


def sign_out(session_key: str) -> None:
    SessionStore(session_key).delete()


def change_password(agent: Agent) -> None:
    user = User.objects.get(pk=agent.user_id)
    user.set_password("another one entirely")
    user.save()


async def test_end_of_session_closes_4403_within_two_seconds(
    process: Runtime, agent: Agent
) -> None:
    first = await database.write(sign_in, agent)
    second = await database.write(sign_in, agent)
    async with (
        AgentClient(cookie(first, settings.BASE_URL)) as one,
        AgentClient(cookie(second, settings.BASE_URL)) as two,
    ):
        await one.hello()
        await two.hello()
        await database.write(sign_out, first)
        async with asyncio.timeout(2):
            assert (await one.closed()).code == 4403
        assert (await two.ask("list.subscribe"))["ok"]
        await database.write(change_password, agent)
        async with asyncio.timeout(2):
            assert (await two.closed()).code == 4403


async def test_vanished_client_leaves_nothing_behind(process: Runtime, agent: Agent) -> None:
    token = await database.write(make_token, agent)
    async with AgentClient() as client:
        await client.hello(token)
        assert len(process.hub.sockets()) == 1
        client.vanish()
        process.hub.sockets()[0].push_head(0)
        async with asyncio.timeout(2):
            await client.task
    assert process.hub.sockets() == []
