"""What `manage.py seed_demo` says: the JSON for scripts, and the same for people."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from webchat.demo.credentials import PASSWORD, token_of
from webchat.demo.organization import Seeded, base_origin


def as_json(first: Seeded, other: Seeded) -> dict[str, Any]:
    """The keys that operations promises; `agents` only where some were asked for."""
    report = {**_organization(first), "other": _organization(other)}
    if first.extra:
        emails = [person.email(first.shop.domain) for person in first.extra]
        report["agents"] = [{"email": email, "token": token_of(email)} for email in emails]
    return report


def as_text(first: Seeded, other: Seeded) -> str:
    """A short letter: where to look and how to sign in."""
    lines = [
        f"Two organizations are ready: {first.shop.name} and {other.shop.name}.",
        "",
        f"  Sign in    {settings.BASE_URL}/",
        f"  Demo page  {_demo_page_url(first)}",
        "",
        *_people(first),
        *_people(other),
        "",
        f"Everybody's password is {PASSWORD}. Tokens: manage.py seed_demo --json",
    ]
    if first.extra:
        lines.append(f"There are {len(first.extra)} more agents in {first.shop.name}.")
    return "\n".join(lines)


def _organization(seeded: Seeded) -> dict[str, Any]:
    return {
        "base_url": settings.BASE_URL,
        "organization": {"id": seeded.organization.pk},
        "site": {"widget_key": seeded.site.widget_key, "allowed_origin": base_origin()},
        "demo_page_url": _demo_page_url(seeded),
        **{key: _login(email) for key, email in _keyed_emails(seeded)},
    }


def _login(email: str) -> dict[str, str]:
    return {"email": email, "password": PASSWORD, "token": token_of(email)}


def _keyed_emails(seeded: Seeded) -> Sequence[tuple[str, str]]:
    shop = seeded.shop
    return [(person.key, person.email(shop.domain)) for person in shop.people if person.key]


def _demo_page_url(seeded: Seeded) -> str:
    return f"{settings.BASE_URL}/examples/visitor?widget_key={seeded.site.widget_key}"


def _people(seeded: Seeded) -> Sequence[str]:
    return [f"  {key:10} {email}" for key, email in _keyed_emails(seeded)]
