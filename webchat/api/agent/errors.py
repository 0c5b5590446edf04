"""From exceptions to the one shape of errors: `{"error": {"code", "message", "details"}}`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
)
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from ninja.errors import AuthenticationError, HttpError, ValidationError

from project.errors import (
    AppError,
    InvalidArgument,
    InvalidBody,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Unauthorized,
)
from project.refusals import respond
from webchat.api.agent.parsing import MAX_BODY_BYTES

log = structlog.stdlib.get_logger(__name__)


def answer(request: HttpRequest, error: Exception) -> HttpResponse:
    """Nothing that an operation raises leaves in another shape, and nothing unexpected unlogged."""
    known = _translate(error)
    if known is None:
        log.error("request_failed", method=request.method, path=request.path, exc_info=error)
    return respond(known or AppError())


def guard(pattern: URLPattern) -> URLPattern:
    """Refuse bodies over the limit before anything else, and other methods in our shape."""
    pattern.callback = _guarded(pattern.callback)
    return pattern


def _guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > MAX_BODY_BYTES:
            return respond(PayloadTooLarge())
        response = view(request, *args, **kwargs)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = response["Allow"]
            response = respond(MethodNotAllowed())
            response["Allow"] = allowed
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return guarded


def _translate(error: Exception) -> AppError | None:
    match error:
        case AppError():
            return error
        case ValidationError():
            return _invalid(error.errors[0])
        case AuthenticationError():
            return Unauthorized()
        case HttpError(__cause__=AppError() as cause):  # whatever the body's parser raises
            return cause
        case Http404():
            return NotFound()
        case RequestDataTooBig():
            return PayloadTooLarge()
    return None


def _invalid(problem: dict[str, Any]) -> AppError:
    """The first field that does not validate, by its path within the body or query."""
    source, *place = problem["loc"]
    if source == "body":
        place = place[1:]  # the operation's argument that holds the body
    if not place:
        return InvalidBody()
    field = ".".join(str(step) for step in place)
    text = problem["msg"].removeprefix("Value error, ")
    return InvalidArgument(f"{field}: {text}.", field=field)
