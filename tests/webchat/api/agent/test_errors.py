"""Every refusal has the one shape, whoever notices the fault."""

import json
from typing import Any, NoReturn

import pytest
from django.test import Client

from tests.webchat.api.agent.caller import Caller, code_of, refusal
from webchat.queries import conversation

pytestmark = pytest.mark.django_db

MESSAGE = {"content": "Good day"}
LIMIT = 128 * 1024


def of_size(size: int) -> bytes:
    """A message whose body is as long as that; most of it is a field that nobody knows."""
    body = json.dumps(MESSAGE | {"padding": ""})
    return body.replace('""', f'"{"x" * (size - len(body))}"').encode()


@pytest.fixture
def path(conversation_id: int) -> str:
    return f"/conversations/{conversation_id}/messages"


@pytest.mark.parametrize(
    "path",
    [
        "/api/",
        "/api/v1/nothing",
        "/api/v1/conversations/",
        "/api/v1/conversations/abc",
        "/api/v1/conversations/-1",
        "/api/v1/conversations/9223372036854775808",
        "/api/v1/conversations/99999999999999999999999999",
        "/api/v2/me",
    ],
)
def test_an_address_where_nothing_is(caller: Caller, path: str) -> None:
    assert refusal(caller.get(path)) == (404, "NOT_FOUND")


def test_the_largest_id_is_a_plain_unknown_one(caller: Caller) -> None:
    assert refusal(caller.ask(f"/conversations/{2**63 - 1}")) == (404, "NOT_FOUND")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_method_that_the_address_does_not_take(caller: Caller, method: str) -> None:
    response = caller.tell("/sites", method=method)
    assert refusal(response) == (405, "METHOD_NOT_ALLOWED")
    assert {name.strip() for name in response.headers["Allow"].split(",")} == {"GET", "POST"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b'"text"',
        b"null",
        b'{"content": "x"',
        b'{"content": NaN}',
        b'{"content": "\xff"}',
        b'{"content": "\\ud800"}',
        b'{"content": ' + b"[" * 60_000 + b"]" * 60_000 + b"}",
        b"\xef\xbb\xbf{}",
    ],
)
def test_a_body_that_is_no_json_object(caller: Caller, path: str, body: bytes) -> None:
    assert refusal(caller.tell(path, body)) == (400, "INVALID_BODY")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content", 5),
        ("content", None),
        ("content", ["x"]),
        ("content", "a\x00b"),
        ("client_message_id", 7),
        ("client_message_id", ""),
        ("client_message_id", "x" * 201),
        ("client_message_id", "a\x00"),
        ("is_public", "yes"),
        ("is_public", 1),
        ("is_public", None),
        ("parent_message_id", "1"),
        ("parent_message_id", 1.5),
        ("parent_message_id", True),
        ("parent_message_id", -1),
        ("parent_message_id", 2**63),
        ("parent_message_id", 10**400),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(
    caller: Caller, path: str, field: str, value: Any
) -> None:
    response = caller.tell(path, MESSAGE | {field: value})
    assert refusal(response) == (400, "INVALID_ARGUMENT")
    assert response.json()["error"]["details"] == {"field": field}
    assert response.json()["error"]["message"].startswith(f"{field}: ")


def test_a_missing_field_is_named(caller: Caller, path: str) -> None:
    response = caller.tell(path, {})
    assert refusal(response) == (400, "INVALID_ARGUMENT")
    assert response.json()["error"]["details"] == {"field": "content"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"view": "everything"}, "view"),
        ({"status": "waiting"}, "status"),
        ({"assignee": "me"}, "assignee"),
        ({"team": str(2**63)}, "team"),
        ({"assignee": "1" * 5000}, "assignee"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "a\x00b"}, "cursor"),
    ],
)
def test_a_wrong_part_of_the_query_is_named(
    caller: Caller, query: dict[str, str], field: str
) -> None:
    response = caller.ask("/conversations", **query)
    assert refusal(response) == (400, "INVALID_ARGUMENT")
    assert response.json()["error"]["details"] == {"field": field}


def test_unknown_fields_and_empty_values_are_ignored(caller: Caller, path: str) -> None:
    assert caller.tell(path, MESSAGE | {"colour": "red"}).status_code == 201
    assert caller.ask("/conversations", status="", cursor="", shade="dark").status_code == 200


def test_a_body_of_the_limit_passes_and_one_more_does_not(caller: Caller, path: str) -> None:
    assert caller.tell(path, of_size(LIMIT)).status_code == 201
    assert refusal(caller.tell(path, of_size(LIMIT + 1))) == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_of_undeclared_length_is_limited_too(caller: Caller, path: str) -> None:
    response = caller.tell(path, of_size(LIMIT + 1), CONTENT_LENGTH="")
    assert code_of(response) in {"INVALID_BODY", "PAYLOAD_TOO_LARGE"}


def test_a_body_too_large_is_refused_before_the_caller_is_known(db: None) -> None:
    assert refusal(Caller().tell("/sites", of_size(LIMIT + 1))) == (413, "PAYLOAD_TOO_LARGE")


def test_the_unexpected_is_logged_and_tells_nothing(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError("a secret of the database")

    monkeypatch.setattr(conversation, "list_page", fail)
    response = caller.ask("/conversations")
    assert refusal(response) == (500, "INTERNAL")
    assert b"secret" not in response.content
    assert "request_failed" in caplog.text


def test_a_fault_before_the_operations_has_the_shape_too(caller: Caller) -> None:
    response = caller.get("/api/v1/me", headers={"Host": "no host"})
    assert refusal(response) == (400, "INVALID_ARGUMENT")


def test_answers_are_not_kept_by_caches(caller: Caller) -> None:
    assert caller.ask("/me").headers["Cache-Control"] == "no-store"
    assert Client().get("/api/v1/me").headers["Cache-Control"] == "no-store"
