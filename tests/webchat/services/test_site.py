import pytest

from project.errors import Forbidden, InvalidArgument
from tests.factories import make_agent
from webchat.models import Organization, Role, Site
from webchat.services.site import create_site

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_managers_create_sites(role: Role, organization: Organization) -> None:
    site = create_site(
        agent=make_agent(organization, role=role),
        name="Shop",
        allowed_origins=[" HTTPS://Acme.com ", "*.acme.com"],
        agency_mode=True,
        locale="de",
        appearance={"colour": "#123456"},
    )
    site.refresh_from_db()
    assert site.organization_id == organization.pk
    assert site.allowed_origins == ["https://acme.com", "*.acme.com"]
    assert (site.agency_mode, site.locale, site.appearance) == (True, "de", {"colour": "#123456"})
    assert not site.is_restricted
    assert len(site.widget_key) == 35


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AGENT])
def test_others_may_not(role: Role, organization: Organization) -> None:
    with pytest.raises(Forbidden):
        create_site(agent=make_agent(organization, role=role), name="Shop", allowed_origins=[])
    assert not Site.objects.exists()


def test_a_rule_that_names_no_origin_is_refused(organization: Organization) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        create_site(
            agent=make_agent(organization, role=Role.OWNER),
            name="Shop",
            allowed_origins=["acme.com", "not a host"],
        )
    assert refusal.value.details == {"field": "allowed_origins"}
    assert not Site.objects.exists()
