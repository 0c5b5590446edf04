"""Who is asking: an agent of one organization, or a visitor's session."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Scope = Literal["read", "write", "webhooks", "admin"]


@dataclass(frozen=True, slots=True)
class Agent:
    """A member acting in one organization.

    `scopes` are an API token's; None for a person in a browser. `site_ids` are the sites whose
    conversations the agent sees; None for all. `session_key` or `token_id` says what to look at
    again while a socket is open.
    """

    user_id: int
    membership_id: int
    organization_id: int
    name: str
    email: str
    role: str
    availability: str
    site_ids: frozenset[int] | None
    scopes: frozenset[str] | None = None
    session_key: str | None = None
    token_id: int | None = None
    password: str = field(default="", repr=False)
    """The password's hash when the agent came in: who changes it, ends what it opened."""


@dataclass(frozen=True, slots=True)
class VisitorAccess:
    """A visitor's session as the widget's calls need it, from a valid token and a live session."""

    sid: UUID
    visitor_pk: int
    visitor_id: str
    contact_id: int
    contact_name: str | None
    organization_id: int
    site_id: int
    origin: str
    scopes: frozenset[str]
