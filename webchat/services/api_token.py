"""API tokens: issue. Only the hash is kept, so a token is shown once."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from webchat.models import ApiToken, Membership
from webchat.principal import Scope
from webchat.queries.agent import hash_token

PREFIX = "kt_"


def new_token() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def issue_token(
    *,
    membership: Membership,
    name: str,
    scopes: Iterable[Scope],
    token: str | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> str:
    """Returns the token; the same `token` again only renews its row."""
    value = token or new_token()
    ApiToken.objects.update_or_create(
        token_hash=hash_token(value),
        defaults={
            "membership": membership,
            "name": name,
            "scopes": sorted(scopes),
            "expires_at": expires_at,
            "revoked_at": None,
        },
        create_defaults={
            "membership": membership,
            "name": name,
            "scopes": sorted(scopes),
            "expires_at": expires_at,
            "created_at": now,
        },
    )
    return value
