"""The visitor's page."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from admin_ui import assets
from tests.factories import make_agent, make_site
from webchat.models import Organization, Role, Site

pytestmark = pytest.mark.django_db

OWNER = "wambui@mwanga.example"


@pytest.fixture(autouse=True)
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "manifest.json"
    path.write_text(
        '{"examples/visitor.js": {"file": "examples/visitor.AAAAAAAA.js"},'
        ' "examples/visitor.css": {"file": "examples/visitor.BBBBBBBB.css"}}'
    )
    monkeypatch.setattr(assets, "MANIFEST", path)
    return path


@pytest.fixture
def demo(organization: Organization) -> Site:
    """The demo organization's first site, and a second one."""
    make_agent(organization, role=Role.OWNER, email=OWNER)
    first = make_site(organization)
    make_site(organization)
    return first


def test_talks_to_the_first_site_of_the_demo(demo: Site) -> None:
    response = Client().get("/examples/visitor")
    page = response.content.decode()
    assert response.status_code == 200
    assert f'name="karibu:key" content="{demo.widget_key}"' in page
    assert f'name="karibu:base" content="{settings.BASE_URL}"' in page
    assert 'src="/static/examples/visitor.AAAAAAAA.js"' in page
    assert 'href="/static/examples/visitor.BBBBBBBB.css"' in page
    assert "{{" not in page


def test_talks_to_the_site_that_is_asked_for(demo: Site) -> None:
    page = Client().get("/examples/visitor?widget_key=wk_other%22%3E").content.decode()
    assert 'content="wk_other&quot;&gt;"' in page


def test_says_that_there_is_no_demo(site: Site) -> None:
    response = Client().get("/examples/visitor")
    assert response.status_code == 404
    assert "manage.py seed_demo" in response.content.decode()


def test_says_that_nothing_is_built(demo: Site, manifest: Path) -> None:
    manifest.unlink()
    response = Client().get("/examples/visitor")
    assert response.status_code == 404
    assert "npm run build" in response.content.decode()
