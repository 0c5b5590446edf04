"""The agents' API: its operations under one object."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import register_converter
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.renderers import BaseRenderer
from pydantic_core import to_json

from webchat.api.agent import (
    activity,
    contact,
    conversation,
    errors,
    me,
    member,
    message,
    openapi,
    site,
)
from webchat.api.agent.docs import SwaggerPage
from webchat.api.agent.parsing import JsonParser, RowIdConverter


class JsonRenderer(BaseRenderer):
    """Writes times as events do, so that a fetched row and an event's compare equal."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return to_json(data)


class AgentApi(NinjaAPI):
    """ninja's, with our errors and a complete document."""

    def on_exception(self, request: HttpRequest, exc: Any) -> HttpResponse:
        return errors.answer(request, exc)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return operation.view_func.__name__

    def get_openapi_schema(
        self,
        *,
        path_prefix: str | None = None,
        path_params: dict[str, Any] | None = None,
    ) -> OpenAPISchema:
        document = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        openapi.complete(document)
        return document


register_converter(RowIdConverter, "rowid")
api = AgentApi(
    title="Karibu",
    version="1",
    description=openapi.DESCRIPTION,
    docs=SwaggerPage(),
    urls_namespace="api",
    parser=JsonParser(),
    renderer=JsonRenderer(),
)
for part in (me, conversation, message, activity, contact, site, member):
    api.add_router("/v1", part.router)
