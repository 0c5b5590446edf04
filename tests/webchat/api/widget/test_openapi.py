"""The document says what the application does."""

from typing import Any

import jsonschema_rs
import pytest
import schemathesis

from tests.webchat.api.widget.browser import Browser
from webchat.api.widget import openapi
from webchat.api.widget.routes import OPERATIONS
from webchat.models import Site

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Karibu", "version": "1"},
    "paths": openapi.paths(),
    "components": {
        "schemas": openapi.schemas(),
        "securitySchemes": openapi.security_schemes(),
    },
}


def validate(answer: Any, name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema_rs.validate(schema, answer, validate_formats=True)


def test_every_call_is_described() -> None:
    described = {
        (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
    }
    assert described == {(operation.method, operation.path) for operation in OPERATIONS}


def test_the_document_is_sound() -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    assert len(list(schema.get_all_operations())) == len(OPERATIONS)


def test_every_reference_leads_somewhere() -> None:
    def references(node: Any) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if "$ref" in node else set()
            return own.union(*(references(value) for value in node.values()))
        if isinstance(node, list):
            return set().union(*(references(value) for value in node))
        return set()

    names = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    assert references(DOCUMENT) <= names
    assert all(name.startswith("Widget") for name in DOCUMENT["components"]["schemas"])


def test_each_status_lists_its_codes() -> None:
    responses = DOCUMENT["paths"]["/api/v1/webchat/messages"]["post"]["responses"]
    codes = {status: one["description"] for status, one in responses.items() if status >= "400"}
    assert codes == {
        "400": "`INVALID_ARGUMENT`, `INVALID_BODY`, `EMPTY_CONTENT`, `CONTENT_TOO_LONG`",
        "401": "`UNAUTHORIZED`",
        "403": "`ORIGIN_NOT_ALLOWED`, `SCOPE_MISSING`, `ENGAGEMENT_FORBIDDEN`",
        "404": "`WIDGET_NOT_FOUND`, `NOT_FOUND`",
        "413": "`PAYLOAD_TOO_LARGE`",
        "500": "`INTERNAL`",
    }


@pytest.mark.django_db(transaction=True)
def test_answers_have_the_described_shape(browser: Browser, site: Site) -> None:
    config = browser.get("/webchat/config", {"widget_key": site.widget_key})
    validate(config.json, "WidgetConfig")
    validate(browser.begin(site).json, "WidgetSessionAnswer")
    validate(browser.post("/webchat/messages", {"content": "x"}).json, "WidgetSentAnswer")
    validate(browser.get("/webchat/messages").json, "WidgetHistoryAnswer")
    validate(browser.post("/webchat/bootstrap").json, "WidgetBootstrapAnswer")
    validate(browser.post("/webchat/messages", {}).json, "WidgetErrorAnswer")
