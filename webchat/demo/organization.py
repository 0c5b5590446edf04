"""The demo's organizations, people and sites: made where they are missing, mended where changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from random import Random

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from realtime import streams
from webchat import origins
from webchat.demo.content import Person, Shop, load_customers
from webchat.demo.credentials import PASSWORD, token_of, widget_key_of
from webchat.demo.history import write_history
from webchat.demo.plan import plan_history
from webchat.models import ApiToken, Membership, Organization, Plan, Role, Site, Team, User
from webchat.principal import Scope
from webchat.queries.agent import hash_token
from webchat.services.api_token import issue_token

SCOPES: dict[str, tuple[Scope, ...]] = {
    Role.OWNER: ("read", "write", "webhooks", "admin"),
    Role.SUPERVISOR: ("read", "write", "admin"),
    Role.AGENT: ("read", "write"),
}
TOKEN_NAME = "Demo"  # noqa: S105 the name of a token


@dataclass(frozen=True, slots=True)
class Seeded:
    """What of a shop is in the database now. `extra` are the people that were asked for on top."""

    shop: Shop
    organization: Organization
    site: Site
    extra: tuple[Person, ...]


@transaction.atomic
def seed_shop(shop: Shop, *, extra_agents: int = 0, now: datetime) -> Seeded:
    """The shop with its people, site and, when it is new, its history. A repetition adds nothing.

    Who was removed is a member again and their token works again; passwords stay as they are.
    """
    organization = _find_organization(shop)
    is_new = organization is None
    if organization is None:
        organization = Organization.objects.create(name=shop.name, plan=Plan.ENTERPRISE)
        streams.open_organization(organization.pk)
    Organization.objects.filter(pk=organization.pk).update(plan=Plan.ENTERPRISE)
    extra = _extra_people(shop, extra_agents)
    people = {person.email(shop.domain): person for person in (*shop.people, *extra)}
    users = _ensure_members(organization, people)
    _ensure_tokens(organization, people, now)
    teams = {
        name: Team.objects.get_or_create(organization=organization, name=name)[0]
        for name in shop.teams
    }
    site = _ensure_site(organization, shop)
    if is_new:
        # The same history in every installation; only its times hang on when it was made.
        random = Random(shop.name)  # noqa: S311 variety, no secret
        chats = plan_history(shop, load_customers(), now=now, random=random)
        named = {person.name: users[person.email(shop.domain)] for person in shop.people}
        write_history(site, chats, users=named, teams=teams)
    return Seeded(shop, organization, site, extra)


def base_origin() -> str:
    """The web origin of this installation's own pages."""
    return str(origins.parse(settings.BASE_URL))


def _find_organization(shop: Shop) -> Organization | None:
    owner = next(person for person in shop.people if person.role == Role.OWNER)
    membership = (
        Membership.objects.select_related("organization")
        .filter(user__email=owner.email(shop.domain))
        .order_by("pk")
        .first()
    )
    return membership.organization if membership else None


def _extra_people(shop: Shop, count: int) -> tuple[Person, ...]:
    """Agents beside the shop's own, the same ones for the same number."""
    customers = load_customers()
    first, last = cycle(customers.first_names), cycle(customers.last_names)
    return tuple(
        Person(
            name=f"{next(first)} {next(last)}",
            role=Role.AGENT,
            team=shop.teams[0],
            mailbox=f"agent-{number}",
        )
        for number in range(1, count + 1)
    )


def _ensure_members(organization: Organization, people: Mapping[str, Person]) -> dict[str, User]:
    """Users by e-mail, each with a live membership."""
    known = User.objects.in_bulk(list(people), field_name="email")
    missing = [email for email in people if email not in known]
    password = make_password(PASSWORD) if missing else ""
    created = User.objects.bulk_create(
        User(email=email, name=people[email].name, password=password) for email in missing
    )
    User.objects.filter(email__in=people, is_active=False).update(is_active=True)
    users = known | {user.email: user for user in created}
    members = _live_members(organization)
    Membership.objects.bulk_create(
        Membership(organization=organization, user=users[email], role=person.role)
        for email, person in people.items()
        if email not in members
    )
    return users


def _ensure_tokens(organization: Organization, people: Mapping[str, Person], now: datetime) -> None:
    members = _live_members(organization)
    hashes = {email: hash_token(token_of(email)) for email in people}
    found = ApiToken.objects.in_bulk(list(hashes.values()), field_name="token_hash")
    for email, person in people.items():
        token = found.get(hashes[email])
        if token is None or token.revoked_at or token.membership_id != members[email].pk:
            issue_token(
                membership=members[email],
                name=TOKEN_NAME,
                scopes=SCOPES[person.role],
                token=token_of(email),
                now=now,
            )


def _live_members(organization: Organization) -> dict[str, Membership]:
    live = organization.memberships.filter(revoked_at__isnull=True).select_related("user")
    return {membership.user.email: membership for membership in live}


def _ensure_site(organization: Organization, shop: Shop) -> Site:
    """The organization's first site; this installation's own pages may always use it."""
    own = base_origin()
    site = organization.sites.order_by("pk").first()
    if site is None:
        return Site.objects.create(
            organization=organization,
            name=shop.site.name,
            widget_key=widget_key_of(shop.domain),
            allowed_origins=[own, "localhost", "127.0.0.1"],
            locale=shop.site.locale,
            appearance={
                "title": shop.site.title,
                "welcome_text": shop.site.welcome,
                "color": shop.site.color,
            },
        )
    if own not in site.allowed_origins:
        site.allowed_origins = [own, *site.allowed_origins]
        site.save(update_fields=["allowed_origins"])
    return site
