"""Which page a call comes from, and whether its site lets that page in."""

from dataclasses import dataclass

import structlog
from django.conf import settings

from project.errors import AppError
from webchat import origins
from webchat.api.widget.request import Request
from webchat.queries.site import SiteAccess

log = structlog.stdlib.get_logger(__name__)

NAME_LENGTH = 300


class OriginNotAllowed(AppError):
    """The page that asked may not read this answer."""

    code = "ORIGIN_NOT_ALLOWED"
    status = 403
    message = "This site's allowed origins do not include the page's."


@dataclass(frozen=True, slots=True)
class Page:
    """`name` is what a session is bound to: the origin in its normal form.

    A browser's exotic schemes (`capacitor://`) have a name and no `origin`; a call with neither
    Origin nor Referer has neither.
    """

    origin: origins.Origin | None
    name: str


UNKNOWN = Page(None, "")


def page_of(request: Request) -> Page:
    """The call's Origin; where there is none, the origin of its Referer."""
    text = request.header(b"origin")
    if text:
        origin = origins.parse(text)
        return Page(origin, text[:NAME_LENGTH] if origin is None else str(origin))
    origin = origins.parse(request.header(b"referer"))
    return UNKNOWN if origin is None else Page(origin, str(origin))


def check_page(page: Page, site: SiteAccess) -> None:
    """Raises OriginNotAllowed.

    In production a list that lets everybody in is taken for an oversight, unless the site is in
    agency mode: then the customers' pages are not known in advance.
    """
    if settings.PRODUCTION and not site.agency_mode and origins.allows_any(site.allowed_origins):
        _refuse(page, site, reason="wildcard_guard")
    if not origins.is_allowed(page.origin, site.allowed_origins):
        _refuse(page, site, reason="not_listed")


def check_binding(page: Page, bound_to: str, site: SiteAccess) -> None:
    """A session stays on the origin that it began on. Raises OriginNotAllowed.

    A browser that gives neither header asks from the API's own origin, so that is no other page.
    """
    if page is not UNKNOWN and page.name != bound_to:
        _refuse(page, site, reason="token_of_another_origin")


def _refuse(page: Page, site: SiteAccess, *, reason: str) -> None:
    log.info("origin_refused", site_id=site.site_id, origin=page.name, reason=reason)
    raise OriginNotAllowed
