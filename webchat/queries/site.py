"""Sites, as the widget and the people who manage them ask for them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from project.errors import InvalidArgument, NotFound
from realtime.models import AgentPresence
from webchat.models import Availability, Membership, Role, Site
from webchat.principal import Agent

PAGE = 50
CURSOR = re.compile("[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the cursor of the following page; None on the last one."""

    items: Sequence[Site]
    next: str | None


@dataclass(frozen=True, slots=True)
class SiteAccess:
    """What every widget call needs of its site."""

    site_id: int
    organization_id: int
    name: str
    locale: str
    appearance: dict[str, object]
    allowed_origins: tuple[str, ...]
    agency_mode: bool


def get_by_key(widget_key: str) -> SiteAccess:
    """Raises NotFound."""
    return _access(Site.objects.filter(widget_key=widget_key).first())


def get_by_id(site_id: int) -> SiteAccess:
    """Raises NotFound."""
    return _access(Site.objects.filter(pk=site_id).first())


def is_online(site_id: int) -> bool:
    """Whether an agent who sees the site's conversations is connected and says "available"."""
    site = Site.objects.filter(pk=site_id).first()
    if site is None:
        return False
    present = AgentPresence.objects.filter(organization_id=site.organization_id)
    members = Membership.objects.filter(
        organization_id=site.organization_id,
        revoked_at__isnull=True,
        user__is_active=True,
        availability=Availability.AVAILABLE,
        user_id__in=present.values("agent_id"),
    )
    if site.is_restricted:
        members = members.filter(Q(role__in=[Role.OWNER, Role.ADMIN]) | Q(sites=site))
    return members.exists()


def list_page(agent: Agent, *, cursor: str | None = None, limit: int = PAGE) -> Page:
    """The organization's sites that the agent sees, oldest first.

    Raises InvalidArgument for a cursor that no page gave out.
    """
    sites = Site.objects.filter(organization_id=agent.organization_id).order_by("pk")
    if agent.site_ids is not None:
        sites = sites.filter(pk__in=agent.site_ids)
    if cursor is not None:
        if not CURSOR.fullmatch(cursor):
            raise InvalidArgument("The cursor is not one that a list gave out.", field="cursor")
        sites = sites.filter(pk__gt=int(cursor))
    found = list(sites[: limit + 1])
    items = found[:limit]
    return Page(items, str(items[-1].pk) if len(found) > limit else None)


def find_first_of(email: str) -> Site | None:
    """The oldest site of the organizations where the person of this e-mail is a member."""
    sites = Site.objects.filter(
        organization__memberships__user__email=email,
        organization__memberships__revoked_at__isnull=True,
    )
    return sites.order_by("pk").first()


def _access(site: Site | None) -> SiteAccess:
    if site is None:
        raise NotFound
    return SiteAccess(
        site_id=site.pk,
        organization_id=site.organization_id,
        name=site.name,
        locale=site.locale,
        appearance=site.appearance,
        allowed_origins=tuple(site.allowed_origins or ()),
        agency_mode=site.agency_mode,
    )
