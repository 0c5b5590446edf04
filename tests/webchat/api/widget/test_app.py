"""Routing and the boundary: what every answer has in common."""

import json

import pytest
import structlog

from tests.factories import ORIGIN
from tests.webchat.api.widget.browser import Browser
from webchat.api.widget import app as boundary
from webchat.api.widget.app import ROUTES, WidgetApp
from webchat.api.widget.auth import Gate
from webchat.api.widget.request import Request
from webchat.api.widget.response import Response

CALLS = [
    ("GET", "/webchat/config"),
    ("POST", "/auth/widget/session"),
    ("POST", "/auth/widget/session/refresh"),
    ("POST", "/webchat/bootstrap"),
    ("GET", "/webchat/messages"),
    ("POST", "/webchat/messages"),
    ("POST", "/webchat/typing"),
    ("POST", "/webchat/seen"),
]
ADDRESSES = sorted({path for _, path in ROUTES})


def test_every_call_is_the_same_below_both_prefixes() -> None:
    expected = {(method, prefix + path) for method, path in CALLS for prefix in ("/api/v1", "/v1")}
    assert set(ROUTES) == expected | {("GET", "/.well-known/jwks.json")}
    for method, path in CALLS:
        assert ROUTES[method, f"/v1{path}"] is ROUTES[method, f"/api/v1{path}"]


@pytest.mark.parametrize("path", [*ADDRESSES, "/v1/webchat/later", "/api/v1/auth/widget/later"])
def test_the_application_claims_its_addresses(app: WidgetApp, path: str) -> None:
    assert app.serves(path)


@pytest.mark.parametrize(
    "path",
    ["/", "/api/v1/conversations", "/api/v1/me", "/v1/webchats", "/.well-known/other", "/widget"],
)
def test_the_application_leaves_the_rest_to_django(app: WidgetApp, path: str) -> None:
    assert not app.serves(path)


@pytest.mark.parametrize("path", [*ADDRESSES, "/v1/webchat/later"])
@pytest.mark.parametrize("origin", ["https://anywhere.example", "null"])
def test_a_preflight_is_answered_everywhere(browser: Browser, path: str, origin: str) -> None:
    answer = browser.call(
        "OPTIONS", path, origin=origin, headers={"access-control-request-method": "POST"}
    )
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST"
    assert answer.headers["access-control-allow-headers"] == "Authorization, Content-Type, *"
    assert answer.headers["access-control-max-age"] == "7200"
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/webchat/bootstrap", "POST, OPTIONS"),
        ("DELETE", "/webchat/messages", "GET, POST, HEAD, OPTIONS"),
        ("PUT", "/auth/widget/session", "POST, OPTIONS"),
        ("POST", "/webchat/config", "GET, HEAD, OPTIONS"),
        ("POST", "/.well-known/jwks.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_another_method_is_refused(browser: Browser, method: str, path: str, allow: str) -> None:
    answer = browser.call(method, path)
    assert (answer.status, answer.code) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == allow


def test_an_unknown_address_is_not_found(browser: Browser) -> None:
    answer = browser.post("/webchat/later", {})
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert answer.headers["access-control-allow-origin"] == ORIGIN


def test_a_trailing_slash_is_another_address(browser: Browser) -> None:
    assert browser.post("/webchat/messages/", {}).status == 404


def test_a_defect_leaves_a_log_line_and_no_trace_in_the_answer(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(request: Request, gate: Gate) -> Response:
        raise ZeroDivisionError("SELECT secret FROM somewhere")

    monkeypatch.setitem(boundary.ROUTES, ("POST", "/v1/webchat/messages"), fail)
    with structlog.testing.capture_logs() as logs:
        answer = browser.post("/v1/webchat/messages", {})
    assert (answer.status, answer.code) == (500, "INTERNAL")
    assert b"secret" not in answer.body
    assert b"ZeroDivision" not in answer.body
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert [entry["event"] for entry in logs] == ["widget_call_failed"]


def test_a_client_that_hangs_up_before_the_answer_fails_nothing(
    app: WidgetApp, browser: Browser
) -> None:
    async def send(message: object) -> None:
        raise BrokenPipeError

    scope = {
        "type": "http",
        "method": "OPTIONS",
        "path": "/v1/webchat/messages",
        "headers": [],
        "query_string": b"",
    }

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    browser.runner.run(app(scope, receive, send))


def test_answers_carry_their_length(browser: Browser) -> None:
    answer = browser.post("/webchat/bootstrap")
    assert answer.status == 401
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert set(json.loads(answer.body)) == {"error"}
