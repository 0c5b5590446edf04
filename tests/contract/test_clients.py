"""Scenarios of the official clients, each with both of them and against both backends."""

import asyncio

import pytest

from tests.contract.backends import Backend, connection_token, new_visitor, subscription_token
from tests.contract.clients import NodeClient, OfficialClient

pytestmark = pytest.mark.contract


async def test_publications_arrive_live_in_order(
    backend: Backend, client_class: type[OfficialClient]
) -> None:
    async with client_class(backend) as client:
        subscribed = await client.hear("subscribed")
        assert (subscribed["recoverable"], subscribed["positioned"]) == (True, True)
        for n in range(1, 6):
            await backend.publish(client.channel, {"n": n, "text": "olá \u2028 \U0001f44b"})
        await backend.publish(client.channel, {"n": 6, "typing": True}, kept=False)
        await client.hear_publications(1, 2, 3, 4, 5, 6)
        first, *_, last = client.heard("publication")
        assert first["data"]["text"] == "olá \u2028 \U0001f44b"
        assert (first["offset"], last.get("offset", 0)) == (1, 0)


async def test_first_subscribe_continues_since_the_position_that_bootstrap_gave(
    backend: Backend, client_class: type[OfficialClient]
) -> None:
    visitor = new_visitor()
    channel = f"visitor:{visitor}"
    await backend.publish(channel, {"n": 1})
    since = await backend.position(channel)
    await backend.publish(channel, {"n": 2})
    async with client_class(backend, visitor=visitor, since=since) as client:
        subscribed = await client.hear("subscribed")
        assert (subscribed["wasRecovering"], subscribed["recovered"]) == (True, True)
        await backend.publish(channel, {"n": 3})
        await client.hear_publications(2, 3)


@pytest.mark.parametrize(("missed", "recovered"), [(0, True), (3, True), (201, False)])
async def test_reconnect_recovers_everything_or_says_that_it_cannot(
    backend: Backend, client_class: type[OfficialClient], missed: int, recovered: bool
) -> None:
    async with client_class(backend) as client:
        await client.hear("subscribed")
        await backend.publish(client.channel, {"n": 1})
        await client.hear_publications(1)
        await backend.disconnect(client.visitor, 4001, "come back")
        await backend.publish_all(client.channel, range(2, missed + 2))
        assert (await client.hear("connecting", "client", count=2))["code"] == 4001
        subscribed = await client.hear("subscribed", count=2)
        assert (subscribed["wasRecovering"], subscribed["recovered"]) == (True, recovered)
        await backend.publish(client.channel, {"n": 1_000})
        await client.hear_publications(1, *(range(2, missed + 2) if recovered else ()), 1_000)


async def test_revoked_session_is_final(
    backend: Backend, client_class: type[OfficialClient]
) -> None:
    async with client_class(backend) as client:
        await client.hear("subscribed")
        await backend.disconnect(client.visitor, 4501, "session revoked")
        disconnected = await client.hear("disconnected", "client")
        assert (disconnected["code"], disconnected["reason"]) == (4501, "session revoked")
        await asyncio.sleep(0.3)
        assert len(client.heard("connected", "client")) == 1
        await until_connected(backend, client.channel, 0)


async def test_expired_tokens_are_replaced(
    backend: Backend, client_class: type[OfficialClient]
) -> None:
    visitor = new_visitor()
    expired = (connection_token(visitor, -1), subscription_token(visitor, -1))
    client = client_class(backend, visitor=visitor, tokens=expired)
    async with client:
        await client.give("client", connection_token(visitor))
        await client.give("subscription", subscription_token(visitor))
        await client.hear("subscribed")
        for of in ("client", "subscription"):
            assert len(client.heard("getToken", of)) >= 1


async def test_tokens_are_refreshed_without_a_break(
    backend: Backend, client_class: type[OfficialClient]
) -> None:
    visitor = new_visitor()
    short = (connection_token(visitor, 2), subscription_token(visitor, 2))
    async with client_class(backend, visitor=visitor, tokens=short) as client:
        await client.give("client", connection_token(visitor))
        await client.give("subscription", subscription_token(visitor))
        await client.hear("subscribed")
        for of in ("client", "subscription"):
            await client.hear("getToken", of)
        await asyncio.sleep(0.2)
        await backend.publish(client.channel, {"n": 1})
        await client.hear_publications(1)
        for event, of in (("connected", "client"), ("subscribed", "subscription")):
            assert len(client.heard(event, of)) == 1
        assert client.heard("error", "client") == client.heard("error") == []


@pytest.mark.parametrize(
    ("command", "arguments", "code"),
    [
        ("history", {}, 103),
        ("presence", {}, 103),
        ("presenceStats", {}, 103),
        ("publish", {"data": {"n": 1}}, 103),
        ("rpc", {"method": "m", "data": {}}, 108),
    ],
)
async def test_what_visitors_may_not_do_is_refused_and_costs_nothing(
    backend: Backend,
    client_class: type[OfficialClient],
    command: str,
    arguments: dict[str, object],
    code: int,
) -> None:
    async with client_class(backend) as client:
        await client.hear("subscribed")
        assert await client.ask(command, **arguments) == code
        await backend.publish(client.channel, {"n": 1})
        await client.hear_publications(1)


async def test_client_is_told_that_its_message_was_too_long(
    backend: Backend, client_class: type[OfficialClient]
) -> None:
    async with client_class(backend) as client:
        await client.hear("subscribed")
        await client.ask("publish", data={"text": "x" * 70_000})
        # The end for centrifuge-js; centrifuge-python comes back.
        final = client_class is NodeClient
        event, count = ("disconnected", 1) if final else ("connecting", 2)
        told = await client.hear(event, "client", count=count)
        assert told["code"] == 3


async def test_token_of_another_visitor_is_final(
    backend: Backend, client_class: type[OfficialClient]
) -> None:
    visitor = new_visitor()
    tokens = (connection_token(new_visitor()), subscription_token(visitor))
    async with client_class(backend, visitor=visitor, tokens=tokens) as client:
        assert (await client.hear("disconnected", "client"))["code"] == 3500


async def test_presence_follows_tabs_and_unsubscribes(
    backend: Backend, client_class: type[OfficialClient]
) -> None:
    async with client_class(backend) as first:
        await first.hear("subscribed")
        async with client_class(backend, visitor=first.visitor) as second:
            await second.hear("subscribed")
            assert await backend.connections(first.channel) == 2
            await second.ask("unsubscribe")
            await second.hear("unsubscribed")
            await until_connected(backend, first.channel, 1)
            await second.ask("subscribe")
            await second.hear("subscribed", count=2)
            assert await backend.connections(first.channel) == 2
        await until_connected(backend, first.channel, 1)
        await first.ask("unsubscribe")
        await until_connected(backend, first.channel, 0)


async def until_connected(backend: Backend, channel: str, count: int) -> None:
    """Wait for the server to have noticed who came and who went."""
    async with asyncio.timeout(5):
        while await backend.connections(channel) != count:  # noqa: ASYNC110 another process
            await asyncio.sleep(0.01)
