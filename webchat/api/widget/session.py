"""Beginning and refreshing a visitor's session."""

from project import database
from webchat.api.widget.auth import Gate
from webchat.api.widget.origin import page_of
from webchat.api.widget.request import Request
from webchat.api.widget.response import Response, answer
from webchat.api.widget.schemas import RefreshRequest, SessionAnswer, SessionRequest
from webchat.services.session import Opened, open_session, refresh_session


async def begin(request: Request, gate: Gate) -> Response:
    body = await request.json(SessionRequest)
    site = await gate.admit_page(request, body.widget_key)
    opened = await database.write(
        open_session,
        site_id=site.site_id,
        visitor_id=body.visitor_id,
        engagement_id=body.engagement_id or 0,
        origin=page_of(request).name,
        user_agent=request.header(b"user-agent"),
        name=body.visitor_name or "",
        email=body.visitor_email or "",
        metadata=body.metadata or {},
        now=request.now,
    )
    return answer(_shape(opened))


async def refresh(request: Request, gate: Gate) -> Response:
    body = await request.json(RefreshRequest)
    await gate.check_token(request, body.session_token)
    opened = await database.write(refresh_session, token=body.session_token, now=request.now)
    return answer(_shape(opened))


def _shape(opened: Opened) -> SessionAnswer:
    return SessionAnswer(
        session_token=opened.token,
        expires_at=opened.expires_at,
        organization_id=opened.organization_id,
        engagement_id=opened.conversation_id,
        scopes=sorted(opened.scopes),
    )
