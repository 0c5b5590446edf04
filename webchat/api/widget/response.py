"""Answers, encoded once."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import BaseModel

from project.errors import AppError

Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")
NO_STORE: Header = (b"cache-control", b"no-store")
CHALLENGE: Header = (b"www-authenticate", b"Bearer")


@dataclass(frozen=True, slots=True)
class Response:
    """`readable` says whether the page that asked may read it (CORS).

    `after` runs when the answer has been handed to the transport.
    """

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = (NO_STORE,)
    readable: bool = True
    after: Callable[[], None] | None = None


NO_CONTENT = Response(204)


def encode(shape: BaseModel) -> bytes:
    """JSON text without the fields left unset; times are ISO 8601 in UTC with `Z`."""
    return shape.__pydantic_serializer__.to_json(shape, exclude_unset=True)


def answer(
    shape: BaseModel, *, status: int = 200, after: Callable[[], None] | None = None
) -> Response:
    return Response(status, encode(shape), (JSON, NO_STORE), after=after)


def refusal(error: AppError, *headers: Header, readable: bool = True) -> Response:
    """An error in the shape that all of them have."""
    body = json.dumps({"error": error.body()}, separators=(",", ":")).encode()
    challenge = (CHALLENGE,) if error.status == 401 else ()
    return Response(error.status, body, (JSON, NO_STORE, *challenge, *headers), readable=readable)
