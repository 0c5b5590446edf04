"""From a session cookie or an API token to an agent."""

import hashlib
from datetime import datetime
from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare

from webchat.models import ApiToken, Membership, Role, Site
from webchat.principal import Agent

SESSION_ORGANIZATION = "organization_id"


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def find_by_session(session_key: str) -> Agent | None:
    """The agent of a signed-in browser: in the session's organization, or else in the first.

    None where the session has ended, the password has changed since, or no membership is left.
    """
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user_id = session.get(SESSION_KEY)
    if user_id is None:
        return None
    memberships = _live().filter(user_id=user_id).order_by("pk")
    chosen = session.get(SESSION_ORGANIZATION)
    membership = memberships.filter(organization_id=chosen).first() or memberships.first()
    if membership is None or not constant_time_compare(
        session.get(HASH_SESSION_KEY, ""), membership.user.get_session_auth_hash()
    ):
        return None
    return _agent(membership, session_key=session_key)


def find_by_token(token: str, *, now: datetime) -> Agent | None:
    """The agent of an API token; None for an unknown, expired or revoked one."""
    found = (
        ApiToken.objects.filter(_valid(now), token_hash=hash_token(token))
        .select_related("membership__user")
        .first()
    )
    return _agent_of_token(found)


def refresh(agent: Agent, *, now: datetime) -> Agent | None:
    """The same agent as they are now; None when the membership, session or token has ended."""
    if agent.session_key is not None:
        found = find_by_session(agent.session_key)
        return found if found and found.membership_id == agent.membership_id else None
    tokens = ApiToken.objects.filter(_valid(now), pk=agent.token_id)
    return _agent_of_token(tokens.select_related("membership__user").first())


def list_visible_sites(membership: Membership) -> frozenset[int] | None:
    """The sites that the member sees; None for every one of the organization."""
    sites = Site.objects.filter(organization_id=membership.organization_id)
    if membership.role in {Role.OWNER, Role.ADMIN} or not sites.filter(is_restricted=True).exists():
        return None
    visible = sites.filter(Q(is_restricted=False) | Q(agents=membership))
    return frozenset(visible.values_list("pk", flat=True))


def _live() -> QuerySet[Membership]:
    return Membership.objects.filter(revoked_at__isnull=True, user__is_active=True).select_related(
        "user"
    )


def _valid(now: datetime) -> Q:
    return (
        Q(revoked_at__isnull=True, membership__revoked_at__isnull=True)
        & Q(membership__user__is_active=True)
        & (Q(expires_at__isnull=True) | Q(expires_at__gt=now))
    )


def _agent_of_token(token: ApiToken | None) -> Agent | None:
    if token is None:
        return None
    return _agent(token.membership, scopes=frozenset(token.scopes), token_id=token.pk)


def _agent(
    membership: Membership,
    *,
    scopes: frozenset[str] | None = None,
    session_key: str | None = None,
    token_id: int | None = None,
) -> Agent:
    return Agent(
        user_id=membership.user_id,
        membership_id=membership.pk,
        organization_id=membership.organization_id,
        name=str(membership.user),
        email=membership.user.email,
        role=membership.role,
        availability=membership.availability,
        site_ids=list_visible_sites(membership),
        scopes=scopes,
        session_key=session_key,
        token_id=token_id,
    )
