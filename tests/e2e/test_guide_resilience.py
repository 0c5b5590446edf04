"""The guide's client (section 7) when the server dies, the line breaks, and tokens end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from playwright.async_api import BrowserContext

from tests.e2e.pages import GuidePage, HostPages
from tests.e2e.revoking import revoke_sessions
from tests.e2e.test_guide import begin_chat
from tests.services.agent import AgentClient
from tests.services.karibu import KaribuServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.chaos,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(120),
]

REVOKED = 4501
TOKEN_TTL_S = 2
SESSION_TTL_S = 5
"""Long enough for a slow machine to open the page and write."""


@asynccontextmanager
async def other_settings(server: KaribuServer, **settings: str) -> AsyncIterator[None]:
    """Restart the server with settings on top of the usual ones, for as long as the block runs."""
    usual, server.settings = server.settings, {**server.settings, **settings}
    try:
        await asyncio.to_thread(restart, server)
        yield
    finally:
        server.settings = usual
        await asyncio.to_thread(restart, server)


def restart(server: KaribuServer) -> None:
    server.kill()
    server.start()


async def test_both_sides_go_on_after_the_server_was_killed(
    guide: GuidePage, agent: AgentClient, karibu: KaribuServer
) -> None:
    conversation_id = await begin_chat(guide, agent, "one")
    await agent.say(conversation_id, "two")
    await guide.shows("one", "two")
    karibu.kill()
    await guide.until("guide.state.centrifuge.state === 'connecting'")
    await asyncio.to_thread(karibu.start)
    # The agent is back before the browser, which waits longer between its attempts.
    await agent.say(conversation_id, "three")
    await agent.say(conversation_id, "four")
    await guide.shows("one", "two", "three", "four")
    agent.leave()
    await guide.write("five", "six")
    agent.come_back()
    await agent.hear("message.created", content="six")
    await guide.heard("message.new", content="six")
    await guide.shows("one", "two", "three", "four", "five", "six")
    texts = [frame["data"]["content"] for frame in agent.messages(conversation_id)]
    assert texts == ["one", "two", "three", "four", "five", "six"]
    guide.complaints.clear()  # of the server, while it was dead


async def test_what_was_said_while_the_line_was_broken_arrives_once(
    guide: GuidePage, agent: AgentClient
) -> None:
    conversation_id = await begin_chat(guide, agent, "one")
    await guide.page.context.set_offline(True)
    await guide.until("guide.state.centrifuge.state === 'connecting'")
    for text in ("two", "three"):
        await agent.say(conversation_id, text)
    await guide.shows("one")
    await guide.page.context.set_offline(False)
    await guide.shows("one", "two", "three")
    await guide.write("four")
    await guide.heard("message.new", content="four")
    await guide.shows("one", "two", "three", "four")
    guide.complaints.clear()  # of the line


async def test_realtime_tokens_are_renewed_on_the_open_line(
    visitor: BrowserContext, karibu: KaribuServer, host_pages: HostPages
) -> None:
    ttl = str(TOKEN_TTL_S)
    async with (
        other_settings(
            karibu,
            KARIBU_CONNECTION_TOKEN_TTL_S=ttl,
            KARIBU_SUBSCRIPTION_TOKEN_TTL_S=ttl,
        ),
        AgentClient(karibu.base_url, karibu.demo["agent"]["token"]) as agent,
    ):
        guide = await GuidePage.new(visitor, karibu, host_pages.origin("localhost"))
        await guide.load()
        (socket,) = guide.sockets
        received: list[str] = []
        socket.on("framereceived", lambda frame: received.append(str(frame)))
        conversation_id = await begin_chat(guide, agent, "before")
        async with asyncio.timeout(10 * TOKEN_TTL_S):
            while min(_count(received, '"refresh"'), _count(received, '"sub_refresh"')) < 2:
                await guide.page.wait_for_timeout(50)
        await agent.say(conversation_id, "after")
        await guide.shows("before", "after")
        assert guide.sockets == [socket]
        assert guide.complaints == []


async def test_expired_session_is_refreshed_at_the_next_load(
    visitor: BrowserContext, karibu: KaribuServer, host_pages: HostPages
) -> None:
    async with other_settings(karibu, KARIBU_SESSION_TOKEN_TTL_S=str(SESSION_TTL_S)):
        guide = await GuidePage.new(visitor, karibu, host_pages.origin("localhost"))
        await guide.load()
        await guide.write("before")
        before = [await guide.state(name) for name in ("engagementId", "visitorId")]
        async with asyncio.timeout(4 * SESSION_TTL_S):
            while (await guide.call("/v1/webchat/bootstrap"))[0] != 401:
                await guide.page.wait_for_timeout(100)
        guide.complaints.clear()  # of the 401
        async with guide.page.expect_response("**/widget/session/refresh") as refreshed:
            await guide.load()
        assert (await refreshed.value).status == 200
        await guide.shows("before")
        assert [await guide.state(name) for name in ("engagementId", "visitorId")] == before
        assert guide.complaints == []


async def test_revoked_sessions_end_at_once_and_for_good(
    guide: GuidePage, agent: AgentClient, karibu: KaribuServer
) -> None:
    conversation_id = await begin_chat(guide, agent)
    contact_id = await agent.contact_id(conversation_id)
    await guide.page.evaluate(
        "() => guide.state.centrifuge.on('disconnected', ({code}) => { window.code = code })"
    )
    revoked_at = monotonic()
    await revoke_sessions(karibu, contact_id)
    await guide.until("window.code")
    assert monotonic() - revoked_at < 2
    assert await guide.page.evaluate("code") == REVOKED
    body = {"session_token": await guide.state("sessionToken")}
    for path in ("/v1/webchat/bootstrap", "/api/v1/auth/widget/session/refresh"):
        assert (await guide.call(path, body))[0] == 401
    guide.complaints.clear()  # of the two 401


def _count(frames: list[str], key: str) -> int:
    return sum(frame.count(f"{key}:") for frame in frames)
