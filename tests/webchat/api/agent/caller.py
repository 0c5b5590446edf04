"""A client of the agents' API."""

import json
from typing import Any, Self

from django.test import Client

from tests.factories import make_token
from webchat.principal import Agent, Scope

EVERYTHING: tuple[Scope, ...] = ("read", "write", "admin")


class Caller(Client):
    """Speaks JSON; paths begin below `/api/v1`."""

    @classmethod
    def by_token(cls, agent: Agent, *scopes: Scope) -> Self:
        """Act as the agent with an API token, of every scope unless some are named."""
        token = make_token(agent, scopes or EVERYTHING)
        return cls(headers={"Authorization": f"Bearer {token}"})

    def ask(self, path: str, **query: Any) -> Any:
        """GET."""
        return self.get(f"/api/v1{path}", query)

    def tell(self, path: str, body: Any = None, *, method: str = "POST", **extra: Any) -> Any:
        """Send a body as JSON; bytes go as they are, None is no body at all."""
        data = body if body is not None else b""
        return self.generic(
            method,
            f"/api/v1{path}",
            data if isinstance(data, bytes) else json.dumps(data),
            content_type="application/json",
            **extra,
        )


def code_of(response: Any) -> str:
    """The error's code, of an answer that has the one shape of errors."""
    assert response.headers["Content-Type"].startswith("application/json")
    body = response.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["message"].endswith(".")
    return str(error["code"])


def refusal(response: Any) -> tuple[int, str]:
    """The status and code of a refusal."""
    return response.status_code, code_of(response)
