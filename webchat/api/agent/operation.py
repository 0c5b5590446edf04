"""How an operation declares who may call it and what it refuses."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from project.errors import AppError, Forbidden, InvalidArgument, InvalidBody, Unauthorized
from webchat.api.agent.auth import CsrfFailed, Session, Token
from webchat.principal import Scope

EVERYWHERE: tuple[type[AppError], ...] = (
    InvalidArgument,
    InvalidBody,
    Unauthorized,
    Forbidden,
    CsrfFailed,
    AppError,
)


def call(scope: Scope, *refusals: type[AppError]) -> dict[str, Any]:
    """The arguments of an operation's decorator that its callers' rights and errors decide."""
    return {
        "auth": [Token(scope), Session()],
        "openapi_extra": {"x-scope": scope, "responses": describe((*EVERYWHERE, *refusals))},
    }


def describe(refusals: Iterable[type[AppError]]) -> dict[int, dict[str, Any]]:
    """OpenAPI responses, by status, with each code as an example."""
    by_status: dict[int, list[type[AppError]]] = defaultdict(list)
    for refusal in refusals:
        by_status[refusal.status].append(refusal)
    return {status: _response(kinds) for status, kinds in sorted(by_status.items())}


def _response(kinds: list[type[AppError]]) -> dict[str, Any]:
    return {
        "description": ", ".join(f"`{kind.code}`" for kind in kinds),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "examples": {kind.code: {"value": {"error": kind().body()}} for kind in kinds},
            }
        },
    }
