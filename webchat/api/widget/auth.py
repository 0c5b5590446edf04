"""Who may call: a session's token or a site's key, from a page that the site lets in."""

import time

from cachetools import TLRUCache

from project import database
from project.errors import AppError, NotFound, Unauthorized
from webchat import signing
from webchat.api.widget.origin import check_binding, check_page, page_of
from webchat.api.widget.remembered import Remembered
from webchat.api.widget.request import Request
from webchat.principal import VisitorAccess
from webchat.queries import site as sites
from webchat.queries import visitor as visitors
from webchat.queries.site import SiteAccess
from webchat.signing import SessionClaims

FACTS_TTL_S = 2
MOST_SITES = 10_000
MOST_SESSIONS = 20_000


class WidgetNotFound(NotFound):
    """The token is genuine, but its site has been deleted."""

    code = "WIDGET_NOT_FOUND"
    message = "This widget no longer exists."


class ScopeMissing(AppError):
    """`details.scope` is the one that the call needs."""

    code = "SCOPE_MISSING"
    status = 403
    message = "This session's token does not permit this call."


class Gate:
    """Admits calls, remembering what it has seen.

    A token's signature is checked once and remembered until the token expires. Sessions, sites
    and availability are as the database had them at most `FACTS_TTL_S` seconds ago: a revoked
    session, a deleted site and a changed list of origins are noticed within that time.
    """

    def __init__(self) -> None:
        self._claims: TLRUCache[str, SessionClaims] = TLRUCache(
            MOST_SESSIONS, ttu=lambda _, claims, __: claims.expires_at.timestamp(), timer=time.time
        )
        self._sessions: Remembered[str, VisitorAccess] = Remembered(
            size=MOST_SESSIONS, ttl_s=FACTS_TTL_S
        )
        self._sites: Remembered[int | str, SiteAccess] = Remembered(
            size=MOST_SITES, ttl_s=FACTS_TTL_S
        )
        self._online: Remembered[int, bool] = Remembered(size=MOST_SITES, ttl_s=FACTS_TTL_S)

    async def admit(
        self, request: Request, *, scope: str = "messages", fresh: bool = False
    ) -> VisitorAccess:
        """The session of the call's bearer token; `fresh` asks the database in any case.

        Raises Unauthorized, WidgetNotFound, OriginNotAllowed and ScopeMissing.
        """
        token = request.bearer()
        claims = await self.check_token(request, token)
        signing.check_time(claims, now=request.now)
        ask = self._sessions.renew if fresh else self._sessions.get
        visitor = await ask(token, visitors.get_access, claims, now=request.now)
        if scope not in visitor.scopes:
            raise ScopeMissing(scope=scope)
        return visitor

    async def check_token(self, request: Request, token: str) -> SessionClaims:
        """What a genuine token says, which may have expired, on the page that it belongs to.

        Raises Unauthorized, WidgetNotFound and OriginNotAllowed.
        """
        claims = await self._read(token)
        try:
            site = await self._sites.get(claims.site_id, sites.get_by_id, claims.site_id)
        except NotFound:
            raise WidgetNotFound from None
        page = page_of(request)
        check_page(page, site)
        check_binding(page, claims.origin, site)
        return claims

    async def admit_page(self, request: Request, widget_key: str) -> SiteAccess:
        """The site of a key, for a page that it lets in. Raises NotFound and OriginNotAllowed."""
        site = await self._sites.get(widget_key, sites.get_by_key, widget_key)
        check_page(page_of(request), site)
        return site

    async def is_online(self, site: SiteAccess) -> bool:
        """Whether the site has an agent who is there and available."""
        return await self._online.get(site.site_id, sites.is_online, site.site_id)

    async def _read(self, token: str) -> SessionClaims:
        if not token:
            raise Unauthorized
        claims = self._claims.get(token)
        if claims is None:
            # Off the event loop: a key that this process has not met is looked up.
            claims = self._claims[token] = await database.read(signing.read, token)
        return claims
