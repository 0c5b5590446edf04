"""What holds for every page."""

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

pytestmark = pytest.mark.django_db

PAGES = [
    "/",
    "/accounts/login/",
    "/accounts/logout/",
    "/accounts/inactive/",
    "/accounts/password/change/",
    "/examples/visitor",
    "/nothing/here",
]


@pytest.fixture(params=["stranger", "agent"])
def browser(request: pytest.FixtureRequest) -> Client:
    """Somebody signed in, and somebody who is not."""
    if request.param == "stranger":
        return Client()
    client: Client = request.getfixturevalue("signed_in")
    return client


@pytest.mark.parametrize("path", PAGES)
def test_runs_under_a_strict_policy(browser: Client, path: str) -> None:
    page = browser.get(path, follow=True).content.decode()
    assert "<style" not in page
    assert not re.search(r"\s(style|on\w+)=", page)
    assert all(body.strip() == "" for body in re.findall(r"<script[^>]*>([^<]*)</script>", page))
    assert not re.search(r'(src|href|action)="(https?:)?//', page)


@pytest.mark.parametrize("path", PAGES)
def test_has_a_language_a_title_and_one_heading(browser: Client, path: str) -> None:
    page = browser.get(path, follow=True).content.decode()
    assert '<html lang="en">' in page
    assert re.search(r"<title>[^<]{4,} · Karibu</title>", page)
    assert page.count("<h1>") == 1
    assert '<meta name="viewport"' in page


def test_is_not_framed_and_not_sniffed() -> None:
    headers = Client().get("/accounts/login/").headers
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")


def test_turns_around_for_languages_from_right_to_left() -> None:
    with translation.override("ar"):
        page = render_to_string("refusal.html", {"status": 404})
    assert '<html lang="ar" dir="rtl">' in page


def test_speaks_english_to_everybody_yet() -> None:
    page = Client().get("/accounts/login/", headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="en">' in page


def test_works_without_style_while_nothing_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("admin_ui.assets.MANIFEST", tmp_path / "none.json")
    page = Client().get("/accounts/login/").content.decode()
    assert "<form" in page
    assert 'href=""' not in page
    assert 'src=""' not in page
