"""A page in a visitor's browser, calling the widget's application without a server."""

import asyncio
import json
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.utils import timezone

from tests.factories import ORIGIN
from webchat.api.widget.app import WidgetApp
from webchat.api.widget.request import Message
from webchat.models import Site
from webchat.principal import VisitorAccess
from webchat.queries.visitor import get_access
from webchat.signing import verify

UNSET: Any = object()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code, of an answer that has the shape of one."""
        error = self.json["error"]
        assert set(error) == {"code", "message", "details"}
        assert self.headers["content-type"] == "application/json"
        return str(error["code"])

    @property
    def details(self) -> Any:
        return self.json["error"]["details"]


NO_ANSWER = Answer(0, {}, b"")


@dataclass
class Upload:
    """The request's body as the server hands it over, counting how often it is asked to."""

    chunks: Sequence[bytes]
    leaves: bool = False
    asked: int = 0

    async def receive(self) -> Message:
        place, self.asked = self.asked, self.asked + 1
        if place >= len(self.chunks):
            return {"type": "http.disconnect"}
        more = self.leaves or place + 1 < len(self.chunks)
        return {"type": "http.request", "body": self.chunks[place], "more_body": more}


@dataclass
class Browser:
    """`origin` and `token` go with every call unless it says otherwise; None leaves them out."""

    app: WidgetApp
    runner: asyncio.Runner
    origin: str | None = ORIGIN
    token: str | None = None
    prefix: str = "/api/v1"
    written: list[Message] = field(default_factory=list)
    """What the application has sent for the latest call."""

    def get(self, path: str, query: Mapping[str, Any] | None = None, **options: Any) -> Answer:
        return self.run(self.fetch("GET", path, query=urlencode(query or {}), **options))

    def post(self, path: str, body: Any = UNSET, **options: Any) -> Answer:
        return self.run(self.fetch("POST", path, body, **options))

    def call(self, method: str, path: str, **options: Any) -> Answer:
        return self.run(self.fetch(method, path, **options))

    def together(self, calls: Iterable[Awaitable[Answer]]) -> list[Answer]:
        async def gather() -> list[Answer]:
            return list(await asyncio.gather(*calls))

        return self.runner.run(gather())

    def run(self, call: Any) -> Answer:
        answer: Answer = self.runner.run(call)
        return answer

    async def fetch(
        self,
        method: str,
        path: str,
        body: Any = UNSET,
        *,
        query: str = "",
        origin: str | None = UNSET,
        token: str | None = UNSET,
        headers: Mapping[str, str] | None = None,
        upload: Upload | None = None,
    ) -> Answer:
        sent = {
            "origin": self.origin if origin is UNSET else origin,
            "authorization": _bearer(self.token if token is UNSET else token),
            **(headers or {}),
        }
        raw = b"" if body is UNSET else body if isinstance(body, bytes) else _encode(body)
        scope = {
            "type": "http",
            "method": method,
            "path": path if path.startswith(("/api/", "/v1/", "/.")) else self.prefix + path,
            "query_string": query.encode(),
            "headers": [
                (name.encode(), value.encode("latin-1"))
                for name, value in sent.items()
                if value is not None
            ],
        }
        written: list[Message] = []
        self.written = written

        async def send(message: Message) -> None:
            written.append(message)

        await self.app(scope, (upload or Upload([raw])).receive, send)
        return _answer(written)

    @property
    def visitor(self) -> VisitorAccess:
        """Whom the application takes the browser for."""
        now = timezone.now()
        return get_access(verify(self.token or "", now=now), now=now)

    def begin(self, site: Site, **fields: Any) -> Answer:
        """Open a session of a new visitor, unless told whose, and go on with its token."""
        body = {"widget_key": site.widget_key, "visitor_id": str(uuid4()), **fields}
        answer = self.post("/auth/widget/session", body)
        if answer.status == 200:
            self.token = answer.json["session_token"]
        return answer


def _encode(body: Any) -> bytes:
    return json.dumps(body).encode()


def _bearer(token: str | None) -> str | None:
    return None if token is None else f"Bearer {token}"


def _answer(messages: Sequence[Message]) -> Answer:
    if not messages:
        return NO_ANSWER
    start, body = messages
    assert (start["type"], body["type"]) == ("http.response.start", "http.response.body")
    names = [name.decode() for name, _ in start["headers"]]
    assert len(names) == len(set(names)), "a header twice"
    headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
    return Answer(start["status"], headers, body["body"])
