import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from project.errors import InvalidArgument, NotFound
from realtime.models import AgentPresence
from tests.factories import make_agent, make_organization, make_site
from webchat.models import Membership, Organization, Role, Site, User
from webchat.principal import Agent
from webchat.queries.site import SiteAccess, get_by_id, get_by_key, is_online, list_page

pytestmark = pytest.mark.django_db


def test_site_is_found_by_key_and_id(organization: Organization) -> None:
    site = make_site(organization, allowed_origins=["acme.com"], locale="de", agency_mode=True)
    make_site(organization)
    expected = SiteAccess(
        site_id=site.pk,
        organization_id=organization.pk,
        name="Shop",
        locale="de",
        appearance={},
        allowed_origins=("acme.com",),
        agency_mode=True,
    )
    assert get_by_key(site.widget_key) == get_by_id(site.pk) == expected


def test_unknown_site_is_not_found(site: Site) -> None:
    with pytest.raises(NotFound):
        get_by_key("wk_unknown")
    with pytest.raises(NotFound):
        get_by_id(10**15)


class TestList:
    def test_is_of_the_organization_oldest_first(self, agent: Agent, site: Site) -> None:
        second = make_site(site.organization)
        make_site(make_organization("Other"))
        page = list_page(agent)
        assert (list(page.items), page.next) == ([site, second], None)

    def test_restricted_sites_are_for_their_members(
        self, organization: Organization, site: Site
    ) -> None:
        restricted = make_site(organization, is_restricted=True)
        assert list(list_page(make_agent(organization)).items) == [site]
        for agent in (
            make_agent(organization, sites=[restricted]),
            make_agent(organization, role=Role.ADMIN),
        ):
            assert list(list_page(agent).items) == [site, restricted]

    def test_pages_together_are_the_whole_list(self, agent: Agent, site: Site) -> None:
        sites = [site, make_site(site.organization), make_site(site.organization)]
        found: list[Site] = []
        page = list_page(agent, limit=2)
        while page.next is not None:
            found += page.items
            page = list_page(agent, cursor=page.next, limit=2)
        assert [*found, *page.items] == sites

    @pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "\N{SUPERSCRIPT TWO}", "9" * 30])
    def test_a_cursor_that_no_page_gave_out_is_refused(self, cursor: str, agent: Agent) -> None:
        with pytest.raises(InvalidArgument) as refusal:
            list_page(agent, cursor=cursor)
        assert refusal.value.details == {"field": "cursor"}

    def test_costs_do_not_grow_with_the_rows(self, agent: Agent, site: Site) -> None:
        costs = []
        for _ in range(2):
            with CaptureQueriesContext(connection) as captured:
                list_page(agent)
            costs.append(len(captured))
            for _ in range(2):
                make_site(site.organization)
        assert costs == [1, 1]


class TestOnline:
    def arrive(self, agent: Agent) -> None:
        AgentPresence.objects.create(
            organization_id=agent.organization_id, agent_id=agent.user_id, seen_at=timezone.now()
        )

    def test_is_with_an_available_agent_who_is_here(self, agent: Agent, site: Site) -> None:
        assert not is_online(site.pk)
        self.arrive(agent)
        assert is_online(site.pk)

    @pytest.mark.parametrize("availability", ["busy", "away"])
    def test_is_not_with_one_who_is_busy(self, availability: str, agent: Agent, site: Site) -> None:
        self.arrive(agent)
        Membership.objects.update(availability=availability)
        assert not is_online(site.pk)

    def test_is_not_with_who_has_gone(self, agent: Agent, site: Site) -> None:
        self.arrive(agent)
        User.objects.update(is_active=False)
        assert not is_online(site.pk)
        User.objects.update(is_active=True)
        Membership.objects.update(revoked_at=timezone.now())
        assert not is_online(site.pk)

    def test_of_a_restricted_site_needs_one_of_its_own(self, organization: Organization) -> None:
        site = make_site(organization, is_restricted=True)
        self.arrive(make_agent(organization))
        assert not is_online(site.pk)
        self.arrive(make_agent(organization, sites=[site]))
        assert is_online(site.pk)

    def test_is_each_organizations_own(self, site: Site) -> None:
        other = make_organization("Other")
        foreign = make_agent(other)
        self.arrive(foreign)
        assert not is_online(site.pk)
        assert is_online(make_site(other).pk)

    def test_of_no_site_is_not(self, db: None) -> None:
        assert not is_online(10**15)
