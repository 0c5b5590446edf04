"""Sites: the embeds of the widget."""

from ninja import Router

from project.database import write_blocking
from realtime.commands import Text
from webchat.api.agent.auth import AgentRequest
from webchat.api.agent.operation import call
from webchat.api.agent.parsing import Limit
from webchat.api.agent.schemas import NewSite, SitePage, SiteShape
from webchat.queries import site as queries
from webchat.services import site as services

router = Router(tags=["Sites"])


@router.get("/sites", response=SitePage, summary="List sites", **call("read"))
def list_sites(
    request: AgentRequest, cursor: Text | None = None, limit: Limit = queries.PAGE
) -> SitePage:
    """Oldest first."""
    page = queries.list_page(request.auth, cursor=cursor, limit=limit)
    items = [SiteShape.model_validate(site, from_attributes=True) for site in page.items]
    return SitePage(items=items, next=page.next)


@router.post("/sites", response={201: SiteShape}, summary="Create a site", **call("admin"))
def create_site(request: AgentRequest, payload: NewSite) -> SiteShape:
    """For owners and admins. Every agent of the organization sees the new site."""
    site = write_blocking(services.create_site, agent=request.auth, **dict(payload))
    return SiteShape.model_validate(site, from_attributes=True)
