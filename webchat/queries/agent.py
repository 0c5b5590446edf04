"""From a session cookie or an API token to an agent."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare

from webchat.models import ApiToken, Membership, Site
from webchat.permissions import MANAGERS
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


def find_live_member(organization_id: int, user_id: int) -> Agent | None:
    """An active member of an organization by the user's id."""
    membership = _live().filter(organization_id=organization_id, user_id=user_id).first()
    return _agent(membership) if membership else None


def list_standing(agents: Collection[Agent], *, now: datetime) -> dict[Agent, Agent]:
    """Each agent as they are now; those whose membership, session or token has ended are absent.

    A constant number of queries, for all sockets of a process at once.
    """
    memberships = {row.pk: row for row in _live().filter(pk__in={a.membership_id for a in agents})}
    keys = {a.session_key for a in agents if a.session_key is not None}
    sessions = set(
        Session.objects.filter(session_key__in=keys, expire_date__gt=now).values_list(
            "session_key", flat=True
        )
    )
    token_ids = {a.token_id for a in agents if a.token_id is not None}
    tokens = set(
        ApiToken.objects.filter(_valid(now), pk__in=token_ids).values_list("pk", flat=True)
    )
    sites = _visible_sites(memberships.values())
    standing = {}
    for agent in agents:
        membership = memberships.get(agent.membership_id)
        entered = agent.token_id in tokens or agent.session_key in sessions
        if membership and entered and agent.password in {"", membership.user.password}:
            standing[agent] = replace(
                agent,
                name=str(membership.user),
                role=membership.role,
                availability=membership.availability,
                site_ids=sites[membership.pk],
            )
    return standing


def _visible_sites(memberships: Iterable[Membership]) -> dict[int, frozenset[int] | None]:
    """By membership id, the sites that the member sees; None for all of the organization's."""
    members = list(memberships)
    restricted = Site.objects.filter(
        organization_id__in={member.organization_id for member in members}, is_restricted=True
    )
    tenants = set(restricted.values_list("organization_id", flat=True))
    limited = {
        member.pk: member.organization_id
        for member in members
        if member.organization_id in tenants and member.role not in MANAGERS
    }
    sites = Site.objects.filter(organization_id__in=set(limited.values()))
    unrestricted = defaultdict(set)
    for tenant, site_id in sites.filter(is_restricted=False).values_list("organization_id", "pk"):
        unrestricted[tenant].add(site_id)
    own = defaultdict(set)
    for member_id, site_id in sites.filter(agents__in=limited).values_list("agents", "pk"):
        own[member_id].add(site_id)
    return {
        member.pk: frozenset(unrestricted[member.organization_id] | own[member.pk])
        if member.pk in limited
        else None
        for member in members
    }


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
        site_ids=_visible_sites([membership])[membership.pk],
        password=membership.user.password if session_key else "",
        scopes=scopes,
        session_key=session_key,
        token_id=token_id,
    )
