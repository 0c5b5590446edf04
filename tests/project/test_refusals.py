"""What no view has answered."""

from collections.abc import Callable

import pytest
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from project import refusals

Answer = Callable[[HttpRequest], HttpResponse]


def request(path: str) -> HttpRequest:
    return RequestFactory().get(path)


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (lambda r: refusals.bad_request(r, ValueError()), 400, "INVALID_ARGUMENT"),
        (lambda r: refusals.forbidden(r, ValueError()), 403, "FORBIDDEN"),
        (lambda r: refusals.not_found(r, Http404()), 404, "NOT_FOUND"),
        (refusals.server_error, 500, "INTERNAL"),
    ],
)
def test_programs_get_json_and_people_a_page(answer: Answer, status: int, code: str) -> None:
    for_program = answer(request("/api/v1/x"))
    for_person = answer(request("/x"))
    assert (for_program.status_code, for_person.status_code) == (status, status)
    assert f'"code": "{code}"' in for_program.content.decode()
    assert "<h1>" in for_person.content.decode()


def test_a_missing_page_needs_no_database() -> None:
    response = Client().get("/nothing/here")
    assert response.status_code == 404
    assert b"There is nothing at this address" in response.content
