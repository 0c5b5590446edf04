"""Two people talk by the clients that the examples show: a page and a terminal."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from tests.e2e.revoking import revoke_sessions
from tests.e2e.terminal import TerminalAgent
from tests.services.agent import AgentClient
from tests.services.karibu import KaribuServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.chaos,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(120),
]


class VisitorPage:
    """`/examples/visitor` in a browser."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.messages = page.locator("#log .content")
        self.title = page.get_by_role("heading", level=1)
        self.composer = page.get_by_label("Your message")

    async def write(self, text: str) -> None:
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def shows(self, *texts: str) -> None:
        """Wait until these messages are there, in this order, and nothing else."""
        await expect(self.messages).to_have_text(texts)


@pytest_asyncio.fixture(loop_scope="session")
async def page(visitor: BrowserContext, karibu: KaribuServer) -> AsyncIterator[VisitorPage]:
    """Yield the page, open; nothing in it may have thrown at the end."""
    page = await visitor.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.goto(karibu.demo["demo_page_url"])
    await expect(page.get_by_text("Write to us, we answer here")).to_be_visible()
    yield VisitorPage(page)
    assert errors == []


@pytest_asyncio.fixture(loop_scope="session")
async def terminal(karibu: KaribuServer) -> AsyncIterator[TerminalAgent]:
    """Yield an agent's terminal that has gone through the list and now hears everything."""
    async with TerminalAgent(karibu, karibu.demo["agent"]["token"]) as terminal:
        terminal.type("/help")
        await terminal.shows("end it")
        yield terminal


async def begin(page: VisitorPage, terminal: TerminalAgent, text: str) -> int:
    """The visitor writes, and the agent opens the conversation; returns its id."""
    await page.write(text)
    line = await terminal.shows(text)
    opened = re.match(r"\[(\d+)\] Visitor: ", line)
    assert opened
    terminal.type(f"/open {opened[1]}")
    assert await terminal.shows(text) == line
    return int(opened[1])


async def test_two_people_talk_from_hello_to_goodbye(
    page: VisitorPage, terminal: TerminalAgent
) -> None:
    await begin(page, terminal, "Is the shop open?")
    terminal.type("/note A regular", "/claim", "Until six.")
    await page.shows("Is the shop open?", "Until six.")
    await expect(page.title).to_have_text("Neema Odhiambo")
    await page.write("On my way")
    await terminal.shows("On my way")
    terminal.type("/close answered")
    await expect(page.page.get_by_text("This chat has ended.")).to_be_visible()
    await expect(page.composer).to_be_hidden()
    await page.page.get_by_role("button", name="Start a new chat").click()
    await page.write("One more thing")
    await terminal.shows("One more thing")
    assert await terminal.leave() == 0


async def test_two_people_talk_on_after_the_server_was_killed(
    page: VisitorPage, terminal: TerminalAgent, karibu: KaribuServer
) -> None:
    conversation_id = await begin(page, terminal, "one")
    karibu.kill()
    await page.write("two")
    terminal.type("three")
    await expect(page.page.get_by_text("No connection.")).to_be_visible()
    await asyncio.to_thread(karibu.start)
    await terminal.shows("two")
    await expect(page.messages).to_have_count(3)
    await expect(page.page.get_by_text("No connection.")).to_be_hidden()
    await page.write("four")
    await terminal.shows("four")
    shown = await page.messages.all_text_contents()
    assert (sorted(shown), shown[0], shown[-1]) == (["four", "one", "three", "two"], "one", "four")
    await page.page.reload()
    await page.shows(*shown)
    mark = f"[{conversation_id}] "
    said = [line.partition(": ")[2] for line in terminal.screen if line.startswith(mark)]
    assert said == ["one", "one", *shown[1:]]


async def test_end_of_the_session_is_told_and_reloading_begins_another(
    page: VisitorPage, terminal: TerminalAgent, karibu: KaribuServer
) -> None:
    conversation_id = await begin(page, terminal, "Hello")
    async with AgentClient(karibu.base_url, karibu.demo["supervisor"]["token"]) as supervisor:
        await revoke_sessions(karibu, await supervisor.contact_id(conversation_id))
    await expect(page.page.get_by_text("This chat was ended by an agent")).to_be_visible()
    await expect(page.composer).to_be_hidden()
    # Tokens tell their time in whole seconds: one of this second may be of before.
    await page.page.wait_for_timeout(1000)
    await page.page.get_by_role("button", name="Reload").click()
    await page.shows("Hello")
    await page.write("Here again")
    await terminal.shows("Here again")
    terminal.type("Welcome back")
    await page.shows("Hello", "Here again", "Welcome back")
