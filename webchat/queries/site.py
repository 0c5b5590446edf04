"""Sites, as the widget and the people who manage them ask for them."""

from collections.abc import Sequence
from dataclasses import dataclass

from project.errors import NotFound
from webchat.models import Site
from webchat.principal import Agent


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


def list_visible(agent: Agent) -> Sequence[Site]:
    """The organization's sites that the agent sees, oldest first."""
    sites = Site.objects.filter(organization_id=agent.organization_id).order_by("pk")
    return list(sites if agent.site_ids is None else sites.filter(pk__in=agent.site_ids))


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
