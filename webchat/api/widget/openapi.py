"""The widget's calls in OpenAPI 3.1, for the document that the agents' API publishes.

Each stands there once, below its canonical path.
"""

from collections import defaultdict
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from project.errors import AppError, InvalidArgument, InvalidBody, PayloadTooLarge, Unauthorized
from webchat.api.widget.auth import ScopeMissing, WidgetNotFound
from webchat.api.widget.origin import OriginNotAllowed
from webchat.api.widget.routes import OPERATIONS, Operation
from webchat.api.widget.schemas import ErrorAnswer

TAG = "Widget"
SECURITY = "VisitorSession"
REFERENCE = f"#/components/schemas/{TAG}{{model}}"

Json = dict[str, Any]


def paths() -> Json:
    found: defaultdict[str, Json] = defaultdict(dict)
    for operation in OPERATIONS:
        found[operation.path][operation.method.lower()] = _describe(operation)
    return dict(found)


def schemas() -> Json:
    """Under names of their own, so that they meet no schema of the agents."""
    models: list[type[BaseModel]] = [ErrorAnswer]
    for operation in OPERATIONS:
        models += [model for model in (operation.body, operation.answer) if model is not None]
    _, found = models_json_schema(
        [(model, "validation") for model in models], ref_template=REFERENCE
    )
    return {f"{TAG}{name}": schema for name, schema in found["$defs"].items()}


def security_schemes() -> Json:
    return {
        SECURITY: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "The session token of a visitor, on the origin that it was issued to.",
        }
    }


def _describe(operation: Operation) -> Json:
    found: Json = {
        "tags": [TAG],
        "operationId": f"widget_{operation.handle.__name__}",
        "summary": operation.summary,
        "security": [{SECURITY: []}] if operation.bearer else [],
        "responses": {str(operation.status): _success(operation), **_failures(operation)},
    }
    if operation.query:
        found["parameters"] = _parameters(operation.query)
    if operation.body:
        found["requestBody"] = {"required": True, "content": _content(operation.body)}
    return found


def _success(operation: Operation) -> Json:
    if operation.answer:
        return {"description": operation.summary, "content": _content(operation.answer)}
    if operation.status == 204:
        return {"description": operation.summary}
    return {
        "description": operation.summary,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }


def _failures(operation: Operation) -> Json:
    refusals: list[type[AppError]] = [*_implied(operation), *operation.refusals, AppError]
    by_status: defaultdict[int, list[type[AppError]]] = defaultdict(list)
    for refusal in refusals:
        by_status[refusal.status].append(refusal)
    return {str(status): _failure(kinds) for status, kinds in sorted(by_status.items())}


def _implied(operation: Operation) -> tuple[type[AppError], ...]:
    return (
        *((InvalidArgument,) if operation.query or operation.body else ()),
        *((InvalidBody, PayloadTooLarge) if operation.body else ()),
        *(
            (Unauthorized, OriginNotAllowed, ScopeMissing, WidgetNotFound)
            if operation.bearer
            else ()
        ),
    )


def _failure(kinds: list[type[AppError]]) -> Json:
    """One status, with an example of each of its codes."""
    content = _content(ErrorAnswer)
    content["application/json"]["examples"] = {
        kind.code: {"value": {"error": kind().body()}} for kind in kinds
    }
    return {"description": ", ".join(f"`{kind.code}`" for kind in kinds), "content": content}


def _parameters(query: type[BaseModel]) -> list[Json]:
    schema = query.model_json_schema()
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": one}
        for name, one in schema["properties"].items()
    ]


def _content(model: type[BaseModel]) -> Json:
    reference = REFERENCE.format(model=model.__name__)
    return {"application/json": {"schema": {"$ref": reference}}}
