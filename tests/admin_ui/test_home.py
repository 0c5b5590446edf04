"""The start page."""

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests.factories import make_organization, make_site
from webchat.models import Membership, Organization

pytestmark = pytest.mark.django_db


def test_sends_strangers_to_sign_in() -> None:
    response = Client().get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/accounts/login/?next=/")


def test_greets_and_names_the_organization(signed_in: Client, organization: Organization) -> None:
    page = signed_in.get("/").content.decode()
    assert "<bdi>Neema &lt;b&gt;</bdi>" in page
    assert f"<bdi>{organization.name}</bdi>" in page
    assert ">Agent</span>" in page
    assert "Neema <b>" not in page


def test_tells_who_belongs_nowhere(signed_in: Client) -> None:
    Membership.objects.update(revoked_at=timezone.now())
    page = signed_in.get("/").content.decode()
    assert "You belong to no organization." in page


def test_links_to_what_is_there(signed_in: Client, organization: Organization) -> None:
    make_site(organization)
    make_site(make_organization("Elsewhere"), allowed_origins=[settings.BASE_URL])
    page = signed_in.get("/").content.decode()
    assert 'href="/api/docs"' in page
    assert 'href="/accounts/password/change/"' in page
    assert "/examples/visitor" not in page
    ours = make_site(organization, name="Duka", allowed_origins=[settings.BASE_URL])
    page = signed_in.get("/").content.decode()
    assert f'href="/examples/visitor?widget_key={ours.widget_key}"' in page
    assert "<bdi>Duka</bdi>" in page
