"""How a refusal leaves Django: JSON in one shape for programs, a page for people.

The four handlers answer what no view has answered (`project.urls`).
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from project.errors import AppError, Forbidden, InvalidArgument, NotFound


def respond(error: AppError) -> HttpResponse:
    """`{"error": {"code", "message", "details"}}` under the error's status."""
    response = JsonResponse({"error": error.body()}, status=error.status)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _refuse(request, InvalidArgument("The request is malformed."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _refuse(request, Forbidden())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _refuse(request, NotFound("There is nothing at this address."))


def server_error(request: HttpRequest) -> HttpResponse:
    return _refuse(request, AppError())


def _refuse(request: HttpRequest, error: AppError) -> HttpResponse:
    if request.path.startswith("/api/"):
        return respond(error)
    # Without the request, so without the person: the database may be what has failed.
    page = render_to_string("refusal.html", {"status": error.status})
    return HttpResponse(page, status=error.status)
