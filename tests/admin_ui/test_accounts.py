"""Signing in and out, and changing the password."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.admin_ui.conftest import PASSWORD
from webchat.models import User
from webchat.principal import Agent

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
CHANGE = "/accounts/password/change/"
CREDENTIALS = {"login": "neema@example.com", "password": PASSWORD}


def refused(response: Any) -> str:
    """What the sign-in page says instead of letting in."""
    assert response.status_code == 200
    found = re.search(r'id="refused" role="alert">.*</svg>([^<]*)', response.content.decode())
    assert found is not None
    return found[1].strip()


class TestSignIn:
    def test_leads_to_the_start_page(self, neema: Agent) -> None:
        client = Client()
        response = client.post(LOGIN, CREDENTIALS)
        assert (response.status_code, response.headers["Location"]) == (302, "/")
        assert client.get("/").status_code == 200

    def test_leads_to_where_one_wanted_to_go(self, neema: Agent) -> None:
        response = Client().post(LOGIN, CREDENTIALS | {"next": "/api/docs"})
        assert response.headers["Location"] == "/api/docs"

    @pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "javascript:x"])
    def test_leads_nowhere_else(self, neema: Agent, place: str) -> None:
        response = Client().post(LOGIN, CREDENTIALS | {"next": place})
        assert response.headers["Location"] == "/"

    def test_does_not_mind_the_case_of_the_address(self, neema: Agent) -> None:
        response = Client().post(LOGIN, CREDENTIALS | {"login": "Neema@Example.com "})
        assert response.status_code == 302

    @pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"login": "nobody@example.com"}])
    def test_does_not_say_which_part_is_wrong(self, neema: Agent, wrong: dict[str, str]) -> None:
        client = Client()
        response = client.post(LOGIN, CREDENTIALS | wrong)
        assert refused(response) == "Check the e-mail and the password."
        assert settings.SESSION_COOKIE_NAME not in client.cookies

    @pytest.mark.parametrize("field", ["login", "password"])
    def test_takes_no_harm_from_strange_text(self, neema: Agent, field: str) -> None:
        for text in ("a\x00b@example.com", "x" * 5000, "\ud800"):
            sent = CREDENTIALS | {field: text.encode("utf-8", "surrogatepass").decode("latin-1")}
            assert Client().post(LOGIN, sent).status_code == 200

    def test_is_for_the_members_name_of_no_username(self, neema: Agent) -> None:
        response = Client().post(LOGIN, CREDENTIALS | {"login": "neema"})
        assert b"Write it as name@example.com." in response.content

    def test_of_somebody_switched_off_says_so(self, neema: Agent) -> None:
        User.objects.update(is_active=False)
        response = Client().post(LOGIN, CREDENTIALS, follow=True)
        assert b"Your account is switched off" in response.content

    def test_slows_down_who_guesses(self, neema: Agent) -> None:
        for _ in range(5):
            refused(Client().post(LOGIN, CREDENTIALS | {"password": "guess"}))
        told = refused(Client().post(LOGIN, CREDENTIALS))
        assert told == "Too many attempts. Wait five minutes, then try again."

    def test_slows_down_who_tries_many_accounts(self, neema: Agent) -> None:
        for number in range(30):
            Client().post(LOGIN, {"login": f"n{number}@example.com", "password": "guess"})
        response = Client().post(LOGIN, CREDENTIALS)
        assert response.status_code == 429
        assert b"Too many attempts" in response.content

    @pytest.mark.parametrize(
        ("remember", "age"), [({"remember": "on"}, settings.SESSION_COOKIE_AGE), ({}, "")]
    )
    def test_is_remembered_only_if_asked_for(
        self, neema: Agent, remember: dict[str, str], age: int | str
    ) -> None:
        client = Client()
        client.post(LOGIN, CREDENTIALS | remember)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        assert cookie["max-age"] == age
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")

    def test_needs_the_token_of_its_own_form(self, neema: Agent) -> None:
        response = Client(enforce_csrf_checks=True).post(LOGIN, CREDENTIALS)
        assert response.status_code == 403
        assert b"This form is too old" in response.content

    def test_of_somebody_signed_in_is_over(self, signed_in: Client) -> None:
        assert signed_in.get(LOGIN).headers["Location"] == "/"

    def test_page_is_labelled_for_everybody(self, db: None) -> None:
        page = Client().get(LOGIN).content.decode()
        for field in ("id_login", "id_password"):
            assert f'<label for="{field}">' in page
        assert 'autocomplete="username"' in page
        assert 'autocomplete="current-password"' in page


class TestSignOut:
    def test_asks_first(self, signed_in: Client) -> None:
        assert b"neema@example.com" in signed_in.get("/accounts/logout/").content
        assert signed_in.get("/").status_code == 200

    def test_ends_the_session(self, signed_in: Client) -> None:
        assert signed_in.post("/accounts/logout/").headers["Location"] == "/"
        assert signed_in.get("/").headers["Location"] == f"{LOGIN}?next=/"

    def test_needs_the_token_of_its_own_form(self, neema: Agent) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(User.objects.get(pk=neema.user_id))
        assert client.post("/accounts/logout/").status_code == 403
        assert client.get("/").status_code == 200


class TestPassword:
    NEW = {"oldpassword": PASSWORD, "password1": "a new long one", "password2": "a new long one"}

    def test_change_keeps_this_browser_and_ends_the_others(
        self, neema: Agent, signed_in: Client
    ) -> None:
        other = Client()
        other.force_login(User.objects.get(pk=neema.user_id))
        response = signed_in.post(CHANGE, self.NEW, follow=True)
        assert b"Your password is changed." in response.content
        assert User.objects.get(pk=neema.user_id).check_password("a new long one")
        assert other.get("/").status_code == 302

    @pytest.mark.parametrize(
        ("wrong", "told"),
        [
            ({"oldpassword": "nope"}, "This is not your current password."),
            ({"password1": "short", "password2": "short"}, "at least 10 characters"),
            ({"password1": "1234567890", "password2": "1234567890"}, "too common"),
            ({"password2": "another long one"}, "the same password each time"),
        ],
    )
    def test_change_names_what_is_wrong(
        self, neema: Agent, signed_in: Client, wrong: dict[str, str], told: str
    ) -> None:
        response = signed_in.post(CHANGE, self.NEW | wrong)
        assert told in response.content.decode()
        assert User.objects.get(pk=neema.user_id).check_password(PASSWORD)

    def test_change_is_for_people_who_are_signed_in(self, db: None) -> None:
        assert Client().get(CHANGE).headers["Location"].startswith(LOGIN)


@pytest.mark.parametrize(
    "path",
    ["", "signup/", "email/", "confirm-email/", "password/set/", "password/reset/", "login/code/"],
)
def test_what_has_no_page_of_ours_is_not_there(signed_in: Client, path: str) -> None:
    assert signed_in.get(f"/accounts/{path}").status_code == 404
