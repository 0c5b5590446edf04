"""The integration guide's client in a real browser, and an agent at the real socket.

Each line of the guide's checklist (section 12) that needs a browser, and the first rows of its
pitfalls. What becomes of them when connections end is in test_guide_resilience.py.
"""

from typing import Any

import pytest
from playwright.async_api import BrowserContext, Error, expect

from tests.e2e.pages import GuidePage, HostPages
from tests.services.agent import AgentClient
from tests.services.karibu import KaribuServer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

WATCH_FOR_DOUBLES = """() => {
    window.doubles = []
    new MutationObserver(() => {
        const texts = [...document.querySelectorAll('#messages li')].map((li) => li.textContent)
        if (new Set(texts).size < texts.length) doubles.push(texts)
    }).observe(document.getElementById('messages'), { childList: true })
}"""


async def begin_chat(guide: GuidePage, agent: AgentClient, text: str = "Hello") -> int:
    """The visitor writes and the agent hears it; returns the conversation's id."""
    await guide.write(text)
    event = await agent.hear("message.created", content=text)
    conversation_id: int = event["conversation_id"]
    await agent.ask("conversation.open", conversation_id=conversation_id)
    return conversation_id


async def test_first_load_begins_a_session_then_bootstraps_then_connects(
    visitor: BrowserContext, karibu: KaribuServer, host_pages: HostPages
) -> None:
    guide = await GuidePage.new(visitor, karibu, host_pages.origin("localhost"))
    steps: list[str] = []
    guide.page.on("response", lambda response: steps.append(response.url))
    guide.page.on("websocket", lambda socket: steps.append(socket.url))
    await guide.load()
    base = karibu.base_url
    assert [step for step in steps if not step.startswith(host_pages.origin("localhost"))][:3] == [
        f"{base}/api/v1/auth/widget/session",
        f"{base}/v1/webchat/bootstrap",
        f"ws://127.0.0.1:{karibu.port}/connection/websocket",
    ]
    assert await guide.state("engagementId") == 0
    await guide.shows()
    assert guide.complaints == []


async def test_visitor_and_agent_talk(guide: GuidePage, agent: AgentClient) -> None:
    conversation_id = await begin_chat(guide, agent, "Do you ship to Kisumu?")
    answer = await agent.say(conversation_id, "We do, by Thursday.")
    await guide.shows("Do you ship to Kisumu?", "We do, by Thursday.")
    own, other = await guide.messages.all()
    await expect(own).to_have_attribute("data-id", str(answer["id"] - 1))
    await expect(own).not_to_have_attribute("data-pending", "true")
    await expect(other).to_have_attribute("data-isagent", "true")
    assert await guide.state("engagementId") == conversation_id


async def test_same_client_message_id_twice_is_one_message(
    guide: GuidePage, agent: AgentClient
) -> None:
    body: dict[str, Any] = {"engagement_id": 0, "content": "Once", "client_message_id": "cm-once"}
    status, first = await guide.call("/v1/webchat/messages", body)
    assert (status, first["deduped"]) == (201, False)
    assert await guide.call("/v1/webchat/messages", body) == (201, first | {"deduped": True})
    await guide.write("Twice")
    await agent.hear("message.created", content="Twice")
    conversation_id = first["engagement_id"]
    heard = agent.messages(conversation_id)
    assert [event["data"]["content"] for event in heard] == ["Once", "Twice"]
    opened = await agent.ask("conversation.open", conversation_id=conversation_id)
    assert [message["content"] for message in opened["messages"]] == ["Once", "Twice"]


async def test_typing_shows_on_both_sides(guide: GuidePage, agent: AgentClient) -> None:
    conversation_id = await begin_chat(guide, agent)
    await agent.ask("typing.start", conversation_id=conversation_id)
    await expect(guide.typing).to_have_text(f"{agent.me['name']} is typing")
    await agent.ask("typing.stop", conversation_id=conversation_id)
    await expect(guide.typing).to_be_hidden()
    for state in ("start", "stop"):
        body = {"engagement_id": conversation_id, "state": state}
        assert await guide.call("/v1/webchat/typing", body) == (204, None)
        type = {"start": "typing.started", "stop": "typing.stopped"}[state]
        await agent.hear(type, conversation_id=conversation_id, sender_type="CONTACT")


async def test_reading_shows_on_both_sides(guide: GuidePage, agent: AgentClient) -> None:
    conversation_id = await begin_chat(guide, agent)
    asked = (await guide.heard("message.new"))["data"]["message_id"]
    await agent.ask("seen", conversation_id=conversation_id, read_up_to=asked)
    read = await guide.heard("message.read", message_id=asked)
    assert read["data"]["reader_id"] == agent.me["id"]
    answered = (await agent.say(conversation_id, "There you are"))["id"]
    body = {"engagement_id": conversation_id, "message_id": answered}
    assert await guide.call("/v1/webchat/seen", body) == (204, None)
    await agent.hear("seen.updated", conversation_id=conversation_id, read_up_to=answered)


async def test_claiming_shows_the_agent_and_closing_ends_the_chat(
    guide: GuidePage, agent: AgentClient
) -> None:
    conversation_id = await begin_chat(guide, agent)
    await agent.ask("conversation.claim", conversation_id=conversation_id)
    await expect(guide.agent).to_have_text(agent.me["name"])
    await expect(guide.composer).to_be_enabled()
    await agent.ask("conversation.close", conversation_id=conversation_id)
    await expect(guide.composer).to_be_disabled()


async def test_reload_keeps_visitor_conversation_and_history(
    guide: GuidePage, agent: AgentClient
) -> None:
    conversation_id = await begin_chat(guide, agent)
    await agent.say(conversation_id, "Welcome")
    await guide.shows("Hello", "Welcome")
    before = [await guide.state(name) for name in ("visitorId", "sessionToken")]
    await guide.load()
    assert [await guide.state(name) for name in ("visitorId", "sessionToken")] == before
    assert await guide.state("engagementId") == conversation_id
    await guide.shows("Hello", "Welcome")
    await guide.write("I am back")
    assert (await agent.hear("message.created", content="I am back"))[
        "conversation_id"
    ] == conversation_id


async def test_two_tabs_of_one_visitor_show_each_message_once(
    guide: GuidePage,
    agent: AgentClient,
    visitor: BrowserContext,
    karibu: KaribuServer,
    host_pages: HostPages,
) -> None:
    other = await GuidePage.new(visitor, karibu, host_pages.origin("localhost"))
    await other.load()
    for tab in (guide, other):
        await tab.page.evaluate(WATCH_FOR_DOUBLES)
    conversation_id = await begin_chat(guide, agent, "one")
    await guide.write("two", "three")
    await other.shows("one", "two", "three")
    await agent.say(conversation_id, "four")
    for tab in (guide, other):
        await tab.shows("one", "two", "three", "four")
        assert await tab.page.evaluate("doubles") == []
    await other.write("five")
    await guide.shows("one", "two", "three", "four", "five")
    await other.heard("message.new", content="five")
    await other.shows("one", "two", "three", "four", "five")
    assert await guide.state("engagementId") == conversation_id
    assert other.complaints == []


async def test_two_first_messages_at_once_open_one_conversation(
    guide: GuidePage, agent: AgentClient
) -> None:
    await guide.page.evaluate("() => Promise.all(['a', 'b', 'c'].map(guide.send))")
    heard = [await agent.hear("message.created") for _ in range(3)]
    assert sorted(event["data"]["content"] for event in heard) == ["a", "b", "c"]
    assert len({event["conversation_id"] for event in heard}) == 1


async def test_foreign_origin_is_refused_and_the_client_fails_closed(
    guide: GuidePage, visitor: BrowserContext, karibu: KaribuServer, host_pages: HostPages
) -> None:
    evil = await GuidePage.new(visitor, karibu, host_pages.origin("evil.localhost"))
    await evil.watch_refusals()
    await evil.go()
    await evil.until("guide.state.visitorId")
    await evil.complains_of("widget init failed")
    await evil.is_refused(times=1)
    assert await evil.state("sessionToken") is None
    assert await evil.state("centrifuge") is None
    assert evil.sockets == []
    # Not even with the token of a page that is allowed.
    token = await guide.state("sessionToken")
    await evil.page.evaluate("token => { guide.state.sessionToken = token }", token)
    for path in ("bootstrap", "messages", "typing", "seen"):
        with pytest.raises(Error, match="Failed to fetch"):
            await evil.call(f"/v1/webchat/{path}", {})
    await evil.is_refused(times=5)


async def test_token_stays_on_the_origin_that_it_was_made_for(
    guide: GuidePage, visitor: BrowserContext, karibu: KaribuServer, host_pages: HostPages
) -> None:
    other = await GuidePage.new(visitor, karibu, host_pages.origin("127.0.0.1"))
    await other.load()
    await other.watch_refusals()
    token = await guide.state("sessionToken")
    await other.page.evaluate("token => { guide.state.sessionToken = token }", token)
    with pytest.raises(Error, match="Failed to fetch"):
        await other.call("/v1/webchat/bootstrap")
    await other.is_refused(times=1)
