"""The product, a browser, and people on both sides of it. All tests here share one event loop."""

import os
import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.conftest import cannot_run
from tests.e2e.pages import GuidePage, HostPages
from tests.services.agent import AgentClient
from tests.services.karibu import ROOT, KaribuServer
from tests.services.server import MissingProgramError, find_program

PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def karibu() -> Iterator[KaribuServer]:
    with KaribuServer(database_url=os.environ.get("DATABASE_URL")) as server:
        yield server
        assert server.errors() == []


@pytest.fixture(scope="session")
def host_pages() -> Iterator[HostPages]:
    try:
        node = find_program("node", package="nodejs")
    except MissingProgramError as missing:
        cannot_run(str(missing))
    subprocess.run([str(node), "build.mjs", "--test"], cwd=ROOT, capture_output=True, check=True)
    with HostPages() as pages:
        yield pages


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    try:
        chromium = find_program("chromium", package="chromium")
    except MissingProgramError as missing:
        cannot_run(str(missing))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Yield a new visitor's browser: nothing is stored in it."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def guide(
    visitor: BrowserContext, karibu: KaribuServer, host_pages: HostPages
) -> AsyncIterator[GuidePage]:
    """Yield a tab with the guide's client, connected; it must not have complained at the end."""
    page = await GuidePage.new(visitor, karibu, host_pages.origin("localhost"))
    await page.load()
    yield page
    assert page.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def agent(karibu: KaribuServer) -> AsyncIterator[AgentClient]:
    async with AgentClient(karibu.base_url, karibu.demo["agent"]["token"]) as client:
        yield client
