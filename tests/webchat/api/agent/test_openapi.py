"""The document and its page."""

import re
from typing import Any

import pytest
import schemathesis
from django.test import Client

from tests.webchat.api.agent.caller import refusal
from webchat.api.agent import openapi
from webchat.api.agent.api import api
from webchat.models import User
from webchat.principal import Agent

DOCUMENT: dict[str, Any] = api.get_openapi_schema(path_prefix="/api/")
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
OURS = {name: one for name, one in OPERATIONS.items() if "Widget" not in one["tags"]}


def test_the_document_is_sound() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    schema.validate()
    assert len(list(schema.get_all_operations())) == len(OPERATIONS)


def test_the_document_is_public_and_the_one_that_the_code_makes() -> None:
    assert Client().get("/api/openapi.json").json() == Client().get("/api/openapi.json").json()
    assert set(Client().get("/api/openapi.json").json()["paths"]) == set(DOCUMENT["paths"])


def test_the_agents_and_the_widgets_calls_are_there() -> None:
    assert set(OURS) == {
        "GET /api/v1/me",
        "GET /api/v1/conversations",
        "GET /api/v1/conversations/{conversation_id}",
        "GET /api/v1/conversations/{conversation_id}/messages",
        "GET /api/v1/conversations/{conversation_id}/events",
        "POST /api/v1/conversations/{conversation_id}/messages",
        "POST /api/v1/conversations/{conversation_id}/typing",
        "POST /api/v1/conversations/{conversation_id}/seen",
        "POST /api/v1/conversations/{conversation_id}/claim",
        "POST /api/v1/conversations/{conversation_id}/assign",
        "POST /api/v1/conversations/{conversation_id}/close",
        "POST /api/v1/conversations/{conversation_id}/reopen",
        "GET /api/v1/sites",
        "POST /api/v1/sites",
        "DELETE /api/v1/members/{membership_id}",
        "POST /api/v1/contacts/{contact_id}/revoke-sessions",
    }
    assert "POST /api/v1/webchat/messages" in OPERATIONS


def test_operations_have_ids_of_their_own() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", OURS)
def test_each_call_says_what_it_does_needs_and_refuses(name: str) -> None:
    operation = OURS[name]
    assert operation["summary"]
    assert [*operation["security"][0]] == ["Token"]
    [[scope]] = operation["security"][0].values()
    assert operation["security"][1:] == [{"Session": []}]
    assert f"`{scope}`" in operation["description"]
    assert operation["tags"][0] in openapi.TAGS
    assert {"401", "403", "500"} <= set(operation["responses"])
    assert ("{" in name) == ("404" in operation["responses"])
    assert ("requestBody" in operation) == ("413" in operation["responses"])


@pytest.mark.parametrize("name", OURS)
def test_each_refusal_has_an_example(name: str) -> None:
    for status, response in OURS[name]["responses"].items():
        if status >= "400":
            examples = response["content"]["application/json"]["examples"]
            assert response["description"] == ", ".join(f"`{code}`" for code in examples)
            assert all(
                example["value"]["error"]["code"] == code for code, example in examples.items()
            )


def test_the_reasons_of_each_call_are_listed() -> None:
    responses = OURS["POST /api/v1/conversations/{conversation_id}/messages"]["responses"]
    assert {status: one["description"] for status, one in responses.items() if status >= "400"} == {
        "400": "`INVALID_ARGUMENT`, `INVALID_BODY`, `EMPTY_CONTENT`, `CONTENT_TOO_LONG`",
        "401": "`UNAUTHORIZED`",
        "403": "`CSRF_FAILED`, `FORBIDDEN`",
        "404": "`NOT_FOUND`",
        "409": "`CONVERSATION_SUPERSEDED`",
        "413": "`PAYLOAD_TOO_LARGE`",
        "500": "`INTERNAL`",
    }


class TestPage:
    def test_is_public_and_needs_nothing_from_elsewhere(self) -> None:
        response = Client().get("/api/docs")
        page = response.content.decode()
        assert response.status_code == 200
        assert "//" not in re.sub(r'xmlns="[^"]*"', "", page)
        sources = re.findall(r'(?:src|href)="([^"]*)"', page)
        assert sources
        assert all(Client().get(source).status_code == 200 for source in sources)

    def test_runs_under_a_strict_policy(self) -> None:
        page = Client().get("/api/docs").content.decode()
        scripts = re.findall(r"<script([^>]*)>([^<]*)", page)
        assert [body for attributes, body in scripts if "application/json" not in attributes] == [
            "",
            "",
        ]
        assert "<style" not in page
        assert "style=" not in page

    @pytest.mark.django_db
    def test_lets_a_signed_in_agent_try_calls_out(self, agent: Agent) -> None:
        assert "data-csrf-token" not in Client().get("/api/docs").content.decode()
        client = Client()
        client.force_login(User.objects.get(pk=agent.user_id))
        assert 'data-csrf-token="' in client.get("/api/docs").content.decode()


def test_the_root_of_the_api_is_no_page() -> None:
    assert refusal(Client().get("/api/")) == (404, "NOT_FOUND")
