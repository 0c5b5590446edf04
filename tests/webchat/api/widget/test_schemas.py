"""What each call takes, by tables; no database is asked."""

import json
from typing import Any

import pytest
from django.utils import timezone
from pydantic import BaseModel

from project.errors import InvalidArgument, InvalidBody
from tests.webchat.api.widget.browser import Upload
from webchat.api.widget.request import Model, Request
from webchat.api.widget.schemas import (
    HistoryQuery,
    MessageRequest,
    RefreshRequest,
    SeenRequest,
    SessionRequest,
    TypingRequest,
)
from webchat.services.session import VISITOR_ID

MESSAGE = {"content": "x"}
SESSION = {
    "widget_key": f"wk_{'0' * 32}",
    "visitor_id": "7c4a9b2e-3d8f-4a1b-9e2f-5d6c8b3a1f2e",
}


def request_of(body: bytes = b"", query: str = "") -> Request:
    return Request(
        method="POST",
        path="/",
        headers={},
        query=query.encode(),
        receive=Upload([body]).receive,
        now=timezone.now(),
    )


async def parse(model: type[Model], body: bytes) -> Model:
    return await request_of(body).json(model)


async def assert_refused(
    model: type[BaseModel], good: dict[str, Any], field: str, value: Any
) -> None:
    await parse(model, json.dumps(good).encode())
    with pytest.raises(InvalidArgument) as caught:
        await parse(model, json.dumps(good | {field: value}).encode())
    assert caught.value.details == {"field": field}
    assert caught.value.text.startswith(f"{field}: ")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"{",
        b'{"content": "x"} {}',
        b"{'content': 'x'}",
        b'{"content": "\xff"}',
        b'{"content": "\\ud800"}',
        b'{"content": "\\udc00\\ud800"}',
        b'{"content": "x", "metadata": {"\\udfff": 1}}',
        b'{"content": "a\x00b"}',
        b'\xef\xbb\xbf{"content": "x"}',
        b'{"content": "x", "metadata": ' + b'{"a":' * 300 + b"1" + b"}" * 300 + b"}",
    ],
)
async def test_what_is_no_json_object_is_an_invalid_body(body: bytes) -> None:
    with pytest.raises(InvalidBody):
        await parse(MessageRequest, body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content", 7),
        ("content", None),
        ("content", ["x"]),
        ("content", "a\0b"),
        ("engagement_id", "1"),
        ("engagement_id", 1.0),
        ("engagement_id", 1.5),
        ("engagement_id", True),
        ("engagement_id", -1),
        ("engagement_id", 2**63),
        ("engagement_id", 10**30),
        ("message_type", "IMAGE"),
        ("message_type", None),
        ("client_message_id", 7),
        ("client_message_id", "x" * 201),
        ("client_message_id", "a\0"),
        ("parent_message_id", "x"),
        ("metadata", "x"),
        ("metadata", []),
        ("metadata", {"a": "\0"}),
        ("metadata", {"a\0": 1}),
        ("metadata", {"a": [{"b": ["\0"]}]}),
        ("metadata", {"a": float("nan")}),
        ("metadata", {"a": [float("-inf")]}),
    ],
)
async def test_a_message_s_wrong_value_is_named(field: str, value: Any) -> None:
    await assert_refused(MessageRequest, MESSAGE, field, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("widget_key", None),
        ("widget_key", 7),
        ("widget_key", "wk_short"),
        ("widget_key", f"wk_{'g' * 32}"),
        ("visitor_id", None),
        ("visitor_id", 7),
        ("engagement_id", "1"),
        ("visitor_name", 7),
        ("visitor_name", "x" * 201),
        ("visitor_name", "a\0b"),
        ("visitor_email", "x" * 255),
        ("metadata", "x"),
        ("metadata", {"page_url": "\0"}),
    ],
)
async def test_a_session_s_wrong_value_is_named(field: str, value: Any) -> None:
    await assert_refused(SessionRequest, SESSION, field, value)


@pytest.mark.parametrize(
    "visitor_id",
    [
        "",
        "7c4a9b2e-3d8f-1a1b-9e2f-5d6c8b3a1f2e",
        "7c4a9b2e3d8f4a1b9e2f5d6c8b3a1f2e",
        "w-7c4a9b2e-3d8f-4a1b-9e2f-5d6c8b3a1f2e",
        "7c4a9b2e-3d8f-4a1b-9e2f-5d6c8b3a1f2e\n",
    ],
)
def test_a_visitor_id_is_a_random_uuid(visitor_id: str) -> None:
    assert not VISITOR_ID.fullmatch(visitor_id)


@pytest.mark.parametrize(
    ("model", "missing"),
    [
        (MessageRequest, "content"),
        (SessionRequest, "widget_key"),
        (RefreshRequest, "session_token"),
        (TypingRequest, "state"),
        (SeenRequest, "engagement_id"),
    ],
)
async def test_a_missing_field_is_named(model: type[BaseModel], missing: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await parse(model, b"{}")
    assert caught.value.details == {"field": missing}


@pytest.mark.parametrize("value", [None, 7])
async def test_a_refresh_takes_a_token(value: Any) -> None:
    await assert_refused(RefreshRequest, {"session_token": "x"}, "session_token", value)


@pytest.mark.parametrize("state", [None, "", "pause", True])
async def test_typing_has_two_states(state: Any) -> None:
    await assert_refused(TypingRequest, {"state": "start"}, "state", state)


@pytest.mark.parametrize("field", ["engagement_id", "message_id"])
@pytest.mark.parametrize("value", [None, "1", -1, 2**63])
async def test_seen_needs_both_ids(field: str, value: Any) -> None:
    await assert_refused(SeenRequest, {"engagement_id": 1, "message_id": 1}, field, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("before", ""),
        ("before", "x"),
        ("before", "-1"),
        ("before", "1.5"),
        ("before", str(2**63)),
        ("before", "9" * 5000),
        ("limit", "x"),
        ("limit", ""),
        ("limit", "9" * 5000),
    ],
)
def test_a_page_s_wrong_value_is_named(field: str, value: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        request_of(query=f"{field}={value}").query(HistoryQuery)
    assert caught.value.details == {"field": field}


def test_the_last_of_a_parameter_counts() -> None:
    assert request_of(query="before=1&x=y&before=2").query(HistoryQuery).before == 2
