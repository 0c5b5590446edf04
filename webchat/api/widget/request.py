"""One call as the operations see it: headers, query, and a body with a bound."""

from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl

from django.utils import timezone
from pydantic import BaseModel, ValidationError

from project.errors import AppError, InvalidArgument, InvalidBody, PayloadTooLarge

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Model = TypeVar("Model", bound=BaseModel)

BODY_LIMIT_BYTES = 128 * 1024


class ClientLeft(Exception):
    """The browser hung up before its request was complete: there is nobody to answer."""


class Request:
    """`now` is when the call came in; everything that it does happens at that moment."""

    __slots__ = ("_headers", "_query", "_receive", "method", "now", "path")

    def __init__(
        self,
        *,
        method: str,
        path: str,
        headers: dict[bytes, bytes],
        query: bytes,
        receive: Receive,
        now: datetime,
    ) -> None:
        self.method = method
        self.path = path
        self.now = now
        self._headers = headers
        self._query = query
        self._receive = receive

    @classmethod
    def of(cls, scope: Scope, receive: Receive) -> Self:
        return cls(
            method=scope["method"],
            path=scope["path"],
            headers=dict(scope["headers"]),
            query=scope["query_string"],
            receive=receive,
            now=timezone.now(),
        )

    def header(self, name: bytes) -> str:
        """The value of a header, whose name is in lower case; empty where there is none."""
        return self._headers.get(name, b"").decode("latin-1")

    @property
    def origin(self) -> bytes | None:
        """The Origin header, byte for byte."""
        return self._headers.get(b"origin")

    def bearer(self) -> str:
        """The token of the Authorization header; empty where there is none."""
        kind, _, token = self.header(b"authorization").partition(" ")
        return token.strip() if kind.lower() == "bearer" else ""

    def query(self, model: type[Model]) -> Model:
        """The query string's last value per name. Raises InvalidArgument."""
        pairs = dict(parse_qsl(self._query.decode("latin-1"), keep_blank_values=True))
        try:
            return model.model_validate(pairs)
        except ValidationError as error:
            raise _refusal(error) from None

    async def json(self, model: type[Model]) -> Model:
        """The body as `model`. Raises InvalidBody, InvalidArgument and PayloadTooLarge."""
        body = await self.body()
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            raise _refusal(error) from None

    def check_length(self) -> None:
        """Raises PayloadTooLarge for a body that is declared to be over the limit."""
        declared = self.header(b"content-length")
        if declared.isdecimal() and int(declared) > BODY_LIMIT_BYTES:
            raise PayloadTooLarge(limit_bytes=BODY_LIMIT_BYTES)

    async def body(self) -> bytes:
        """The whole body.

        Raises PayloadTooLarge as soon as that is known, without asking for the rest: the server
        discards it, and the client can still read the answer, which closing the connection with
        data on the way would destroy.
        """
        self.check_length()
        chunks: list[bytes] = []
        size = 0
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientLeft
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > BODY_LIMIT_BYTES:
                raise PayloadTooLarge(limit_bytes=BODY_LIMIT_BYTES)
            more = message.get("more_body", False)
        return b"".join(chunks)


def _refusal(error: ValidationError) -> AppError:
    """What the first of the faults means on the wire. A fault of no field is the body's own."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if not fault["loc"]:
        return InvalidBody(reason=fault["msg"])
    field = ".".join(map(str, fault["loc"]))
    return InvalidArgument(f"{field}: {fault['msg']}", field=field)
