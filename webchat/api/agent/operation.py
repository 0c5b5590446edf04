"""How an operation declares who may call it and what it refuses."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from project.errors import (
    AppError,
    Forbidden,
    InvalidArgument,
    InvalidBody,
    PayloadTooLarge,
    Unauthorized,
)
from webchat.api.agent.auth import CsrfFailed, Session, Token
from webchat.principal import Scope

Refusals = tuple[type[AppError], ...]


def call(scope: Scope, *refusals: type[AppError]) -> dict[str, Any]:
    """Arguments of an operation's decorator: who may call it, and its own refusals.

    Those that follow from the method, body and query need no mention.
    """
    return {
        "auth": [Token(scope), Session()],
        "openapi_extra": {"x-scope": scope, "x-refusals": refusals},
    }


def finish(method: str, operation: dict[str, Any]) -> None:
    """Turn what `call` has noted in an operation of the OpenAPI document into its words."""
    scope = operation.pop("x-scope")
    refusals = (*_implied(method, operation), *operation.pop("x-refusals"), AppError)
    successes = {str(status): one for status, one in operation["responses"].items()}
    operation["responses"] = successes | _responses(refusals)
    # Since OpenAPI 3.1 the list may name roles for any scheme; people read the description.
    operation["security"] = [{"Token": [scope]}, {"Session": []}]
    text = operation.get("description", "")
    operation["description"] = f"{text}\n\nA token needs the scope `{scope}`.".strip()


def _implied(method: str, operation: dict[str, Any]) -> Refusals:
    has_body = "requestBody" in operation
    has_query = any(one["in"] == "query" for one in operation["parameters"])
    return (
        *((InvalidArgument,) if has_body or has_query else ()),
        *((InvalidBody, PayloadTooLarge) if has_body else ()),
        *(() if method == "get" else (CsrfFailed,)),
        Unauthorized,
        Forbidden,
    )


def _responses(refusals: Iterable[type[AppError]]) -> dict[str, dict[str, Any]]:
    by_status: dict[int, list[type[AppError]]] = defaultdict(list)
    for refusal in refusals:
        by_status[refusal.status].append(refusal)
    return {str(status): _response(kinds) for status, kinds in sorted(by_status.items())}


def _response(kinds: Iterable[type[AppError]]) -> dict[str, Any]:
    """One status with each of its codes as an example."""
    return {
        "description": ", ".join(f"`{kind.code}`" for kind in kinds),
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "examples": {kind.code: {"value": {"error": kind().body()}} for kind in kinds},
            }
        },
    }
