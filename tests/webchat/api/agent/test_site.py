"""Sites over REST."""

from typing import Any

import pytest

from tests.factories import make_agent, make_site
from tests.webchat.api.agent.caller import Caller, refusal
from webchat.models import Organization, Role, Site

pytestmark = pytest.mark.django_db


class TestList:
    def test_shows_each_field(self, caller: Caller, site: Site) -> None:
        site.appearance = {"title": "Habari"}
        site.save()
        assert caller.ask("/sites").json() == {
            "items": [
                {
                    "id": site.pk,
                    "widget_key": site.widget_key,
                    "name": "Shop",
                    "locale": "en",
                    "allowed_origins": ["https://shop.example"],
                    "agency_mode": False,
                    "appearance": {"title": "Habari"},
                    "created_at": site.created_at.isoformat().replace("+00:00", "Z"),
                }
            ],
            "next": None,
        }

    def test_goes_on_in_pages_while_new_ones_come(
        self, caller: Caller, organization: Organization
    ) -> None:
        made = [make_site(organization).pk for _ in range(3)]
        first = caller.ask("/sites", limit=2).json()
        made.append(make_site(organization).pk)
        second = caller.ask("/sites", limit=2, cursor=first["next"]).json()
        assert [site["id"] for site in first["items"] + second["items"]] == made
        assert second["next"] is None

    def test_hides_restricted_ones(self, organization: Organization) -> None:
        site = make_site(organization, is_restricted=True)
        assert Caller.by_token(make_agent(organization)).ask("/sites").json()["items"] == []
        let_in = Caller.by_token(make_agent(organization, sites=[site]))
        assert [one["id"] for one in let_in.ask("/sites").json()["items"]] == [site.pk]

    @pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 19, "9" * 9000, "\u0661"])
    def test_refuses_a_cursor_that_no_page_gave_out(self, caller: Caller, cursor: str) -> None:
        assert refusal(caller.ask("/sites", cursor=cursor)) == (400, "INVALID_ARGUMENT")

    @pytest.mark.parametrize("count", [1, 3])
    def test_costs_the_same_queries_for_any_number_of_rows(
        self,
        caller: Caller,
        organization: Organization,
        count: int,
        django_assert_num_queries: Any,
    ) -> None:
        for _ in range(count):
            make_site(organization)
        with django_assert_num_queries(3):  # token, restricted sites, rows
            assert len(caller.ask("/sites").json()["items"]) == count


class TestCreate:
    def test_gives_the_site(self, by_owner: Caller, organization: Organization) -> None:
        body = {
            "name": "Duka",
            "locale": "sw",
            "allowed_origins": ["https://duka.example", "*.duka.example"],
            "agency_mode": True,
            "appearance": {"title": "Karibu", "colours": {"accent": "#1d3b16"}},
        }
        response = by_owner.tell("/sites", body)
        assert response.status_code == 201
        site = Site.objects.get()
        assert site.organization == organization
        assert response.json() == body | {
            "id": site.pk,
            "widget_key": site.widget_key,
            "created_at": site.created_at.isoformat().replace("+00:00", "Z"),
        }

    def test_needs_nothing_but_a_name(self, by_owner: Caller) -> None:
        site = by_owner.tell("/sites", {"name": "Duka"}).json()
        assert (site["locale"], site["allowed_origins"], site["appearance"]) == ("en", [], {})

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "name"),
            ({"name": ""}, "name"),
            ({"name": "x" * 121}, "name"),
            ({"name": "a\x00"}, "name"),
            ({"name": "x", "locale": "x" * 17}, "locale"),
            ({"name": "x", "locale": "en_GB\n"}, "locale"),
            ({"name": "x", "allowed_origins": "https://a.example"}, "allowed_origins"),
            ({"name": "x", "allowed_origins": ["not an origin"]}, "allowed_origins"),
            ({"name": "x", "allowed_origins": [5]}, "allowed_origins.0"),
            ({"name": "x", "allowed_origins": ["a.example"] * 101}, "allowed_origins"),
            ({"name": "x", "agency_mode": "on"}, "agency_mode"),
            ({"name": "x", "appearance": []}, "appearance"),
            ({"name": "x", "appearance": {"title": "a\x00"}}, "appearance"),
            ({"name": "x", "appearance": {"a": {"b\x00": 1}}}, "appearance"),
            ({"name": "x", "appearance": {"a": ["\x00"]}}, "appearance"),
        ],
    )
    def test_names_the_field_at_fault(self, by_owner: Caller, body: Any, field: str) -> None:
        response = by_owner.tell("/sites", body)
        assert refusal(response) == (400, "INVALID_ARGUMENT")
        assert response.json()["error"]["details"] == {"field": field}
        assert not Site.objects.exists()

    def test_keeps_what_is_legal_although_odd(self, by_owner: Caller) -> None:
        odd: Any = {"": None, "\\u0000": [0.1, 10**40, "👍"], "deep": [[[[{"a": {}}]]]]}
        response = by_owner.tell("/sites", {"name": "Duka", "appearance": odd})
        assert response.json()["appearance"] == odd
        assert Site.objects.get().appearance == odd

    @pytest.mark.parametrize("value", [b"1" * 5000, b"[" * 190 + b"]" * 190, b"1e999", b"-1e999"])
    def test_survives_the_extreme(self, by_owner: Caller, value: bytes) -> None:
        response = by_owner.tell("/sites", b'{"name": "x", "appearance": {"a": ' + value + b"}}")
        assert response.status_code in {201, 400}
        assert by_owner.ask("/sites").status_code == 200

    @pytest.mark.parametrize("role", [Role.AGENT, Role.SUPERVISOR])
    def test_is_for_owners_and_admins(self, organization: Organization, role: Role) -> None:
        caller = Caller.by_token(make_agent(organization, role=role))
        assert refusal(caller.tell("/sites", {"name": "Duka"})) == (403, "FORBIDDEN")
