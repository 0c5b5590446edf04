"""Rows and principals of tests, made by the same services as in life where there is one.

The moment is the caller's where it matters: `now` defaults to the clock.
"""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from realtime import streams
from webchat.models import ApiToken, Membership, Organization, Role, Site, User
from webchat.principal import Agent, Scope, VisitorAccess
from webchat.queries.agent import find_by_token
from webchat.queries.visitor import get_access
from webchat.services.api_token import issue_token
from webchat.services.message.agent import AgentSent, send_agent_message
from webchat.services.message.visitor import Sent, send_visitor_message
from webchat.services.session import open_session
from webchat.signing import verify

ORIGIN = "https://shop.example"

_numbers = count(1)


def make_organization(name: str = "Acme", **fields: Any) -> Organization:
    """An organization with its event stream."""
    with transaction.atomic():
        organization = Organization.objects.create(name=name, **fields)
        streams.open_organization(organization.pk)
    return organization


def make_site(organization: Organization, **fields: Any) -> Site:
    """A site that pages of ORIGIN may use."""
    return Site.objects.create(
        organization=organization, **{"name": "Shop", "allowed_origins": [ORIGIN], **fields}
    )


def make_agent(
    organization: Organization,
    *,
    role: Role = Role.AGENT,
    sites: Iterable[Site] = (),
    name: str | None = None,
    email: str | None = None,
    password: str | None = None,
) -> Agent:
    """A new user's membership, as a person in a browser.

    `sites` are the restricted ones that the member is let in to. What the agent sees is fixed
    now, as in a request: `seen_again` looks anew. Without a password nobody can sign in.
    """
    number = next(_numbers)
    user = User.objects.create_user(
        email or f"agent{number}.{secrets.token_hex(4)}@example.com",
        password,
        name=f"Agent {number}" if name is None else name,
    )
    membership = Membership.objects.create(organization=organization, user=user, role=role)
    for site in sites:
        site.agents.add(membership)
    return _as_agent(membership)


def seen_again(agent: Agent) -> Agent:
    """The same agent by the rows of now."""
    return _as_agent(Membership.objects.get(pk=agent.membership_id))


def make_token(agent: Agent, scopes: Iterable[Scope] = ("read", "write")) -> str:
    """An API token that acts as the agent."""
    return issue_token(
        membership=Membership.objects.get(pk=agent.membership_id),
        name="test",
        scopes=scopes,
        now=timezone.now(),
    )


def open_visitor(
    site: Site,
    *,
    name: str = "",
    email: str = "",
    visitor_id: str | None = None,
    origin: str = ORIGIN,
    now: datetime | None = None,
) -> VisitorAccess:
    """A session of a visitor, a new one unless `visitor_id` says who."""
    now = now or timezone.now()
    opened = open_session(
        site_id=site.pk,
        visitor_id=visitor_id or str(uuid4()),
        origin=origin,
        user_agent="Mozilla/5.0 (test)",
        name=name,
        email=email,
        metadata={},
        now=now,
    )
    return get_access(verify(opened.token, now=now), now=now)


def say(
    visitor: VisitorAccess,
    text: str = "Hello",
    *,
    engagement_id: int = 0,
    client_message_id: str | None = None,
    parent_message_id: int | None = None,
    metadata: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> Sent:
    """A visitor's message; the first one opens a conversation."""
    return send_visitor_message(
        visitor=visitor,
        content=text,
        engagement_id=engagement_id,
        client_message_id=client_message_id,
        parent_message_id=parent_message_id,
        metadata=metadata,
        now=now or timezone.now(),
    )


def answer(
    agent: Agent,
    conversation_id: int,
    text: str = "Good day",
    *,
    client_message_id: str | None = None,
    is_public: bool = True,
    parent_message_id: int | None = None,
    now: datetime | None = None,
) -> AgentSent:
    """An agent's message or, with `is_public` false, a private note."""
    return send_agent_message(
        agent=agent,
        conversation_id=conversation_id,
        content=text,
        client_message_id=client_message_id,
        is_public=is_public,
        parent_message_id=parent_message_id,
        now=now or timezone.now(),
    )


def _as_agent(membership: Membership) -> Agent:
    # Through a token's door and out again, so that visibility has one rule.
    now = timezone.now()
    token = issue_token(membership=membership, name="door", scopes=(), now=now)
    agent = find_by_token(token, now=now)
    assert agent is not None
    ApiToken.objects.filter(membership=membership, name="door").delete()
    return replace(agent, scopes=None, token_id=None)
