from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_agent, make_organization, make_site, make_token
from webchat.models import ApiToken, Membership, Organization, Role, Site, User
from webchat.principal import Agent, Scope
from webchat.queries.agent import (
    SESSION_ORGANIZATION,
    find_by_session,
    find_by_token,
    list_standing,
)
from webchat.services.api_token import issue_token

pytestmark = pytest.mark.django_db


def sign_in(agent: Agent, organization_id: int | None = None) -> str:
    """The key of a browser's session."""
    user = User.objects.get(pk=agent.user_id)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    if organization_id is not None:
        session[SESSION_ORGANIZATION] = organization_id
    session.create()
    assert session.session_key is not None
    return session.session_key


def by_session(agent: Agent) -> Agent:
    found = find_by_session(sign_in(agent))
    assert found is not None
    return found


def by_token(agent: Agent) -> Agent:
    found = find_by_token(make_token(agent), now=timezone.now())
    assert found is not None
    return found


class TestSession:
    def test_is_the_member(self, agent: Agent) -> None:
        key = sign_in(agent)
        password = User.objects.get(pk=agent.user_id).password
        assert find_by_session(key) == replace(agent, session_key=key, password=password)

    def test_is_in_the_chosen_organization_or_else_the_first(self, agent: Agent) -> None:
        other = make_organization("Other")
        membership = Membership.objects.create(
            organization=other, user_id=agent.user_id, role=Role.OWNER
        )
        chosen = find_by_session(sign_in(agent, other.pk))
        assert chosen is not None
        assert (chosen.membership_id, chosen.role) == (membership.pk, Role.OWNER)
        assert by_session(agent).organization_id == agent.organization_id
        stranger = find_by_session(sign_in(agent, 10**15))
        assert stranger is not None
        assert stranger.organization_id == agent.organization_id

    @pytest.mark.parametrize("key", ["", "x", "\N{SNOWMAN}", "a" * 40])
    def test_unknown_is_nobody(self, key: str, db: None) -> None:
        assert find_by_session(key) is None

    def test_ends_with_the_password(self, agent: Agent) -> None:
        key = sign_in(agent)
        user = User.objects.get(pk=agent.user_id)
        user.set_password("another one")
        user.save()
        assert find_by_session(key) is None

    def test_ends_with_membership_and_user(self, agent: Agent) -> None:
        key = sign_in(agent)
        Membership.objects.update(revoked_at=timezone.now())
        assert find_by_session(key) is None
        Membership.objects.update(revoked_at=None)
        assert find_by_session(key) is not None
        User.objects.update(is_active=False)
        assert find_by_session(key) is None


class TestToken:
    def test_is_the_member_within_its_scopes(self, agent: Agent) -> None:
        found = find_by_token(make_token(agent, scopes=["read"]), now=timezone.now())
        assert found == replace(
            agent, scopes=frozenset({"read"}), token_id=ApiToken.objects.get().pk
        )

    @pytest.mark.parametrize("token", ["", "kt_", "kt_unknown", "\N{SNOWMAN}"])
    def test_unknown_is_nobody(self, token: str, agent: Agent) -> None:
        make_token(agent)
        assert find_by_token(token, now=timezone.now()) is None

    def test_is_kept_as_a_hash(self, agent: Agent) -> None:
        token = make_token(agent)
        assert token not in str(ApiToken.objects.values().get())

    def test_ends_at_its_time(self, agent: Agent) -> None:
        now = timezone.now()
        token = issue_token(
            membership=Membership.objects.get(),
            name="test",
            scopes=["read"],
            expires_at=now + timedelta(hours=1),
            now=now,
        )
        assert find_by_token(token, now=now + timedelta(minutes=59)) is not None
        assert find_by_token(token, now=now + timedelta(hours=1)) is None

    @pytest.mark.parametrize("ended", ["token", "membership", "user"])
    def test_ends_with_what_it_hangs_on(self, ended: str, agent: Agent) -> None:
        token = make_token(agent)
        now = timezone.now()
        if ended == "token":
            ApiToken.objects.update(revoked_at=now)
        if ended == "membership":
            Membership.objects.update(revoked_at=now)
        if ended == "user":
            User.objects.update(is_active=False)
        assert find_by_token(token, now=now) is None

    def test_issued_again_is_renewed(self, agent: Agent) -> None:
        now = timezone.now()
        membership = Membership.objects.get()
        versions: list[list[Scope]] = [["read"], ["read", "write"]]
        for scopes in versions:
            issue_token(
                membership=membership, name="test", scopes=scopes, token="kt_fixed", now=now
            )
            ApiToken.objects.update(revoked_at=None)
        found = find_by_token("kt_fixed", now=now)
        assert found is not None
        assert found.scopes == frozenset({"read", "write"})
        assert ApiToken.objects.count() == 1


class TestStanding:
    def test_shows_each_as_they_are_now(self, agent: Agent, organization: Organization) -> None:
        before = [by_session(agent), by_token(agent)]
        make_site(organization, is_restricted=True)
        visible = make_site(organization)
        Membership.objects.update(role=Role.SUPERVISOR, availability="busy")
        User.objects.update(name="Ada")
        standing = list_standing(before, now=timezone.now())
        assert [standing[one] for one in before] == [
            replace(
                one,
                name="Ada",
                role=Role.SUPERVISOR,
                availability="busy",
                site_ids=frozenset({visible.pk}),
            )
            for one in before
        ]

    def test_leaves_out_who_has_ended(self, organization: Organization) -> None:
        now = timezone.now()
        signed_out, expired, revoked, member, inactive, changed, stays = (
            make_agent(organization) for _ in range(7)
        )
        sessions = {
            name: by_session(agent)
            for name, agent in {
                "signed_out": signed_out,
                "member": member,
                "inactive": inactive,
                "changed": changed,
                "stays": stays,
            }.items()
        }
        tokens = {"expired": by_token(expired), "revoked": by_token(revoked)}
        SessionStore(sessions["signed_out"].session_key).delete()
        ApiToken.objects.filter(membership=expired.membership_id).update(expires_at=now)
        ApiToken.objects.filter(membership=revoked.membership_id).update(revoked_at=now)
        Membership.objects.filter(pk=member.membership_id).update(revoked_at=now)
        User.objects.filter(pk=inactive.user_id).update(is_active=False)
        user = User.objects.get(pk=changed.user_id)
        user.set_password("another one")
        user.save()
        everybody = [*sessions.values(), *tokens.values()]
        assert list(list_standing(everybody, now=now)) == [sessions["stays"]]

    def test_shows_each_its_own_sites(self, organization: Organization, site: Site) -> None:
        first, second = (make_site(organization, is_restricted=True) for _ in range(2))
        other = make_site(make_organization("Other"))
        agents = {
            by_token(make_agent(organization)): frozenset({site.pk}),
            by_token(make_agent(organization, sites=[first])): frozenset({site.pk, first.pk}),
            by_token(make_agent(organization, sites=[first, second])): frozenset(
                {site.pk, first.pk, second.pk}
            ),
            by_token(make_agent(organization, role=Role.OWNER)): None,
            by_token(make_agent(other.organization)): None,
        }
        standing = list_standing(list(agents), now=timezone.now())
        assert {agent: standing[agent].site_ids for agent in agents} == agents
        assert {agent: agent.site_ids for agent in agents} == agents

    def test_of_nobody_is_nobody(self, db: None) -> None:
        assert list_standing([], now=timezone.now()) == {}

    def test_costs_do_not_grow_with_the_agents(self, organization: Organization) -> None:
        make_site(organization, is_restricted=True)
        costs = []
        for size in (1, 3):
            agents = [by_token(make_agent(organization)) for _ in range(size)]
            with CaptureQueriesContext(connection) as captured:
                list_standing(agents, now=timezone.now())
            costs.append(len(captured))
        assert costs[0] == costs[1]
