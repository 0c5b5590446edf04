"""Browsers on the widget's application."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.webchat.api.widget.browser import Browser
from tests.webchat.api.widget.transport import Transport, install
from webchat.api.widget.app import WidgetApp
from webchat.models import Site

NewBrowser = Callable[[], Browser]


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def app() -> WidgetApp:
    return WidgetApp()


@pytest.fixture
def new_browser(app: WidgetApp, runner: asyncio.Runner) -> NewBrowser:
    return lambda: Browser(app, runner)


@pytest.fixture
def browser(new_browser: NewBrowser) -> Browser:
    """A browser without a session."""
    return new_browser()


@pytest.fixture
def guest(new_browser: NewBrowser, site: Site) -> Browser:
    """A browser with a session on `site`."""
    browser = new_browser()
    assert browser.begin(site).status == 200
    return browser


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Transport:
    return install(monkeypatch, Transport())
