"""Who may call, and with what."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from tests.factories import make_agent, make_token
from tests.webchat.api.agent.caller import Caller, refusal
from webchat.models import ApiToken, Membership, Organization, User
from webchat.principal import Agent, Scope
from webchat.services.api_token import issue_token

pytestmark = pytest.mark.django_db

ANY = 10**6
BY_SCOPE: tuple[tuple[Scope, str, str], ...] = (
    ("read", "GET", "/me"),
    ("read", "GET", "/conversations"),
    ("read", "GET", f"/conversations/{ANY}"),
    ("read", "GET", f"/conversations/{ANY}/messages"),
    ("read", "GET", f"/conversations/{ANY}/events"),
    ("read", "GET", "/sites"),
    ("write", "POST", f"/conversations/{ANY}/messages"),
    ("write", "POST", f"/conversations/{ANY}/typing"),
    ("write", "POST", f"/conversations/{ANY}/seen"),
    ("write", "POST", f"/conversations/{ANY}/claim"),
    ("write", "POST", f"/conversations/{ANY}/assign"),
    ("write", "POST", f"/conversations/{ANY}/close"),
    ("write", "POST", f"/conversations/{ANY}/reopen"),
    ("admin", "POST", "/sites"),
    ("admin", "POST", f"/contacts/{ANY}/revoke-sessions"),
    ("admin", "DELETE", f"/members/{ANY}"),
)
OTHERS: dict[Scope, tuple[Scope, ...]] = {
    "read": ("write", "admin", "webhooks"),
    "write": ("read", "admin", "webhooks"),
    "admin": ("read", "write", "webhooks"),
}


def signed_in(agent: Agent, *, enforce_csrf_checks: bool = False) -> Caller:
    caller = Caller(enforce_csrf_checks=enforce_csrf_checks)
    caller.force_login(User.objects.get(pk=agent.user_id))
    return caller


def bearer(token: str) -> Caller:
    return Caller(headers={"Authorization": f"Bearer {token}"})


class TestToken:
    @pytest.mark.parametrize(("scope", "method", "path"), BY_SCOPE)
    def test_needs_the_scope_of_the_call(
        self, owner: Agent, scope: Scope, method: str, path: str
    ) -> None:
        response = Caller.by_token(owner, *OTHERS[scope]).tell(path, method=method)
        assert refusal(response) == (403, "FORBIDDEN")
        assert response.json()["error"]["details"] == {"scope": scope}
        allowed = Caller.by_token(owner, scope).tell(path, method=method)
        assert allowed.status_code in {200, 400, 404}

    def test_is_read_whatever_the_case_of_its_scheme(self, agent: Agent) -> None:
        caller = Caller(headers={"Authorization": f"bearer  {make_token(agent)}"})
        assert caller.ask("/me").status_code == 200

    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer ", "Bearer kt_unknown", "Basic a2FyaWJ1", "kt_unknown"]
    )
    def test_of_nobody_is_refused(self, db: None, header: str) -> None:
        response = Caller(headers={"Authorization": header}).ask("/me")
        assert refusal(response) == (401, "UNAUTHORIZED")
        assert response.headers["WWW-Authenticate"] == "Bearer"

    def test_that_has_expired_is_refused(self, agent: Agent) -> None:
        now = timezone.now()
        token = issue_token(
            membership=Membership.objects.get(pk=agent.membership_id),
            name="old",
            scopes=["read"],
            expires_at=now - timedelta(seconds=1),
            now=now,
        )
        assert refusal(bearer(token).ask("/me")) == (401, "UNAUTHORIZED")

    def test_that_was_revoked_is_refused(self, agent: Agent, caller: Caller) -> None:
        ApiToken.objects.update(revoked_at=timezone.now())
        assert refusal(caller.ask("/me")) == (401, "UNAUTHORIZED")

    def test_of_a_former_member_is_refused(self, agent: Agent, caller: Caller) -> None:
        Membership.objects.update(revoked_at=timezone.now())
        assert refusal(caller.ask("/me")) == (401, "UNAUTHORIZED")

    def test_of_an_inactive_user_is_refused(self, agent: Agent, caller: Caller) -> None:
        User.objects.update(is_active=False)
        assert refusal(caller.ask("/me")) == (401, "UNAUTHORIZED")

    @pytest.mark.parametrize("header", ["Bearer kt_unknown", "Basic a2FyaWJ1", ""])
    def test_that_is_wrong_is_not_replaced_by_a_cookie(self, agent: Agent, header: str) -> None:
        caller = signed_in(agent)
        response = caller.tell("/me", method="GET", headers={"Authorization": header})
        assert refusal(response) == (401, "UNAUTHORIZED")

    def test_needs_no_csrf_token(self, agent: Agent, conversation_id: int) -> None:
        token = make_token(agent)
        caller = Caller(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token}"})
        assert caller.tell(f"/conversations/{conversation_id}/claim").status_code == 200


class TestSession:
    def test_reads_without_a_csrf_token(self, agent: Agent) -> None:
        caller = signed_in(agent, enforce_csrf_checks=True)
        response = caller.ask("/me")
        assert response.status_code == 200
        assert response.json()["agent"]["id"] == agent.user_id

    def test_has_every_scope(self, owner: Agent) -> None:
        caller = signed_in(owner)
        assert caller.tell("/sites", {"name": "Second"}).status_code == 201

    def test_changes_nothing_without_the_csrf_token(
        self, agent: Agent, conversation_id: int
    ) -> None:
        caller = signed_in(agent, enforce_csrf_checks=True)
        response = caller.tell(f"/conversations/{conversation_id}/claim")
        assert refusal(response) == (403, "CSRF_FAILED")
        assert caller.ask(f"/conversations/{conversation_id}").json()["assignee"] is None

    def test_works_with_the_csrf_token(self, agent: Agent, conversation_id: int) -> None:
        caller = signed_in(agent, enforce_csrf_checks=True)
        caller.get("/")  # the page's sign-out form brings the cookie
        token = caller.cookies[settings.CSRF_COOKIE_NAME].value
        response = caller.tell(
            f"/conversations/{conversation_id}/claim", headers={"X-CSRFToken": token}
        )
        assert response.status_code == 200
        assert response.json()["assignee"]["id"] == agent.user_id

    def test_refuses_the_page_of_another_origin(self, agent: Agent, conversation_id: int) -> None:
        caller = signed_in(agent, enforce_csrf_checks=True)
        caller.get("/")
        token = caller.cookies[settings.CSRF_COOKIE_NAME].value
        response = caller.tell(
            f"/conversations/{conversation_id}/claim",
            headers={"X-CSRFToken": token, "Origin": "https://evil.example"},
        )
        assert refusal(response) == (403, "CSRF_FAILED")

    def test_of_nobody_is_refused(self, db: None) -> None:
        assert refusal(Caller().ask("/me")) == (401, "UNAUTHORIZED")
        assert refusal(Caller(enforce_csrf_checks=True).tell("/sites")) == (401, "UNAUTHORIZED")

    def test_that_was_signed_out_is_refused(self, agent: Agent) -> None:
        caller = signed_in(agent)
        key = caller.cookies[settings.SESSION_COOKIE_NAME].value
        caller.logout()
        caller.cookies[settings.SESSION_COOKIE_NAME] = key
        assert refusal(caller.ask("/me")) == (401, "UNAUTHORIZED")

    def test_ends_with_the_password(self, agent: Agent) -> None:
        caller = signed_in(agent)
        user = User.objects.get(pk=agent.user_id)
        user.set_password("something else 1")
        user.save()
        assert refusal(caller.ask("/me")) == (401, "UNAUTHORIZED")

    def test_of_somebody_without_a_membership_is_refused(self, agent: Agent) -> None:
        caller = signed_in(agent)
        Membership.objects.update(revoked_at=timezone.now())
        assert refusal(caller.ask("/me")) == (401, "UNAUTHORIZED")

    @pytest.mark.parametrize("key", [r'"\000\000\000\000\000\000\000\000"', "x" * 9000, "é" * 40])
    def test_takes_no_harm_from_a_strange_cookie(self, db: None, key: str) -> None:
        response = Client().get(
            "/api/v1/me", headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={key}"}
        )
        assert refusal(response) == (401, "UNAUTHORIZED")


def test_a_role_limits_what_a_scope_allows(
    organization: Organization, agent: Agent, caller: Caller, visitor_contact: int
) -> None:
    other = make_agent(organization)
    assert refusal(caller.tell("/sites", {"name": "x"})) == (403, "FORBIDDEN")
    assert refusal(caller.tell(f"/members/{other.membership_id}", method="DELETE")) == (
        403,
        "FORBIDDEN",
    )
    response = caller.tell(f"/contacts/{visitor_contact}/revoke-sessions")
    assert refusal(response) == (403, "FORBIDDEN")
