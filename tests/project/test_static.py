"""Built files from the process itself."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

CSS = b"body { color: red }"


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.STATICFILES_DIRS = [tmp_path]
    return tmp_path


def test_a_hashed_name_is_kept_for_ever(folder: Path) -> None:
    (folder / "pages.CB37VZPI.css").write_bytes(CSS)
    response = Client().get("/static/pages.CB37VZPI.css")
    assert (response.status_code, response.content) == (200, CSS)
    assert response.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert response.headers["Content-Type"] == 'text/css; charset="utf-8"'


def test_a_plain_name_is_kept_for_a_minute(folder: Path) -> None:
    (folder / "pages.css").write_bytes(CSS)
    assert Client().get("/static/pages.css").headers["Cache-Control"] == "max-age=60, public"


def test_what_was_built_after_the_start_is_found(folder: Path) -> None:
    client = Client()
    assert client.get("/static/late.css").status_code == 404
    (folder / "late.css").write_bytes(CSS)
    assert client.get("/static/late.css").content == CSS
    assert client.get("/static/late.css").content == CSS


def test_compressed_files_go_to_who_takes_them(folder: Path) -> None:
    (folder / "pages.css").write_bytes(CSS)
    (folder / "pages.css.br").write_bytes(b"compressed")
    response = Client().get("/static/pages.css", headers={"Accept-Encoding": "br"})
    assert (response.content, response.headers["Content-Encoding"]) == (b"compressed", "br")
    assert Client().get("/static/pages.css").content == CSS


def test_parts_heads_and_unchanged_files_are_answered_as_such(folder: Path) -> None:
    (folder / "pages.css").write_bytes(CSS)
    part = Client().get("/static/pages.css", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"body")
    head = Client().head("/static/pages.css")
    assert (head.content, head.headers["Content-Length"]) == (b"", str(len(CSS)))
    tag = head.headers["ETag"]
    unchanged = Client().get("/static/pages.css", headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/static/../project/settings.py", "/static//etc/passwd", "/static/%00", "/static/"]
)
def test_nothing_else_is_served(folder: Path, path: str) -> None:
    assert Client().get(path).status_code in {400, 404}
