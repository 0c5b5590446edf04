"""How a refusal leaves Django: JSON in one shape for programs, a page for people.

The four handlers answer what no view has answered (`project.urls`).
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

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
    return render(request, "refusal.html", {"status": error.status}, status=error.status)
