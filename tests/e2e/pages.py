"""Pages in the browser, as a test sees and drives them."""

import functools
import threading
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from playwright.async_api import BrowserContext, ConsoleMessage, Error, Page, WebSocket, expect

from tests.services.karibu import KaribuServer

GUIDE = Path(__file__).parent / "guide"


class HostPages:
    """The customers' web server: the guide's page, on an origin that is not the product's."""

    def __init__(self) -> None:
        handler = functools.partial(_QuietHandler, directory=str(GUIDE))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def origin(self, host: str) -> str:
        return f"http://{host}:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _QuietHandler(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/favicon.ico":  # browsers ask, and complain of a 404
            self.send_response(HTTPStatus.NO_CONTENT)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class GuidePage:
    """One tab with the guide's client. `complaints`: what its console reports as an error."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.messages = page.locator("#messages li")
        self.agent = page.locator("#agent")
        self.typing = page.locator("#typing")
        self.composer = page.locator("#composer")
        self.complaints: list[str] = []
        self.sockets: list[WebSocket] = []
        self.refusals = 0
        self._address = address
        page.on("console", self._note)
        page.on("pageerror", self._note_error)
        page.on("websocket", self._note_socket)

    @classmethod
    async def new(cls, context: BrowserContext, server: KaribuServer, origin: str) -> Self:
        """Not loaded yet."""
        query = f"key={server.demo['site']['widget_key']}&base={server.base_url}"
        return cls(await context.new_page(), f"{origin}/guide.html?{query}")

    async def load(self) -> None:
        """Open the page, or open it again, and wait until it listens; then record what it hears."""
        await self.page.goto(self._address)
        await self.until("guide.state.sub?.state === 'subscribed'")
        await self.page.evaluate(
            """() => {
                window.heard = []
                guide.state.sub.on('publication', ({data}) => heard.push(data))
            }"""
        )

    async def go(self) -> None:
        """Open the page, whatever comes of it."""
        await self.page.goto(self._address)

    async def watch_refusals(self) -> None:
        """Count every 403 from now on, also those that no page may read."""
        wire = await self.page.context.new_cdp_session(self.page)
        await wire.send("Network.enable")
        wire.on("Network.responseReceivedExtraInfo", self._note_status)

    async def is_refused(self, *, times: int) -> None:
        """Wait until there were so many refusals since `watch_refusals`."""
        while self.refusals < times:
            await self.page.wait_for_timeout(10)
        assert self.refusals == times

    async def until(self, condition: str) -> None:
        await self.page.wait_for_function(f"() => {condition}")

    async def complains_of(self, text: str) -> None:
        """Wait until the console has it."""
        while not any(text in complaint for complaint in self.complaints):
            await self.page.wait_for_event("console")

    async def state(self, name: str) -> Any:
        return await self.page.evaluate(f"() => guide.state.{name}")

    async def write(self, *texts: str) -> None:
        """Send one after the other."""
        for text in texts:
            await self.page.evaluate("text => guide.send(text)", text)

    async def shows(self, *texts: str) -> None:
        """Wait until these messages are there, in this order, and nothing else."""
        await expect(self.messages).to_have_text(texts)

    async def heard(self, type: str, **data: Any) -> dict[str, Any]:
        """The publication of a type with these in its data, as soon as it has come."""
        handle = await self.page.wait_for_function(
            """([type, wanted]) => heard.find((event) => event.type === type &&
                Object.entries(wanted).every(([name, value]) => event.data[name] === value))""",
            arg=[type, data],
        )
        event: dict[str, Any] = await handle.json_value()
        return event

    async def call(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Make an API call as the page would; its status and JSON, None where there is none."""
        status, answer = await self.page.evaluate(
            """async ([path, body]) => {
                const response = await fetch(SemaswiftWidget.base + path, {
                    method: 'POST',
                    headers: {
                        'Content-Type': 'application/json',
                        Authorization: `Bearer ${guide.state.sessionToken}`,
                    },
                    body: JSON.stringify(body),
                })
                return [response.status, await response.json().catch(() => null)]
            }""",
            [path, body],
        )
        return status, answer

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _note_socket(self, socket: WebSocket) -> None:
        self.sockets.append(socket)

    def _note_status(self, response: dict[str, Any]) -> None:
        self.refusals += response["statusCode"] == HTTPStatus.FORBIDDEN

    def _note_error(self, error: Error) -> None:
        self.complaints.append(str(error))
