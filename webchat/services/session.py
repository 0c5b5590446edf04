"""A visitor's session: begin, refresh, revoke."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import IntegrityError, transaction

from project.errors import AppError, Forbidden, InvalidArgument, NotFound, Unauthorized
from realtime import streams
from realtime.events import ContactUpdated, VisitorSessionsRevoked
from realtime.events.activity import SessionRevoked
from realtime.events.contact import ContactUpdatedData
from realtime.events.shapes import RowChange
from realtime.models import VisitorChannel
from realtime.publish import publish
from webchat.models import Contact, Conversation, ConversationStatus, Site, Visitor, VisitorSession
from webchat.permissions import may_revoke_sessions
from webchat.principal import Agent
from webchat.queries.conversation import get_contact_summary
from webchat.services.errors import EngagementForbidden
from webchat.signing import REFRESH_GRACE, SessionClaims, issue, verify

VISITOR_ID = re.compile(
    r"(v-)?[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
SCOPES = frozenset({"messages"})


class VisitorIdTaken(AppError):
    """A visitor id belongs to one organization, so that no site can listen on another's channel."""

    code = "VISITOR_ID_TAKEN"
    status = 409
    message = "This visitor_id is in use elsewhere. Make a new one."


@dataclass(frozen=True, slots=True)
class Opened:
    """A session with a fresh token. `conversation_id` is the open one; 0 for none."""

    token: str
    expires_at: datetime
    organization_id: int
    conversation_id: int
    scopes: frozenset[str]


def open_session(
    *,
    site_id: int,
    visitor_id: str,
    engagement_id: int = 0,
    origin: str,
    user_agent: str,
    name: str,
    email: str,
    metadata: dict[str, Any],
    now: datetime,
) -> Opened:
    """Begin a visit, making visitor and contact on the first one.

    `origin` has been allowed by the caller; the token is bound to it. Name and e-mail are claims
    and never overwrite verified ones. An `engagement_id` is only checked to be the visitor's: what
    is open, is found without it. Raises InvalidArgument, NotFound, VisitorIdTaken and
    EngagementForbidden.
    """
    if not VISITOR_ID.fullmatch(visitor_id):
        raise InvalidArgument("visitor_id must be a version-4 UUID.", field="visitor_id")
    site = Site.objects.filter(pk=site_id).first()
    if site is None:
        raise NotFound
    if engagement_id:
        _check_engagement(site, visitor_id, engagement_id)
    try:
        visitor = _get_or_create_visitor(site, visitor_id, now)
    except IntegrityError:  # another tab's first session has just made it
        visitor = _get_or_create_visitor(site, visitor_id, now)
    with transaction.atomic():
        # Who may begin anew is not held to what was revoked before: a token's time has whole
        # seconds, and the new one may be of the very second.
        VisitorChannel.objects.filter(visitor_id=visitor_id, revoked_at__isnull=False).update(
            revoked_at=None
        )
        _note_claims(visitor.contact_id, name=name, email=email, now=now)
        session = VisitorSession.objects.create(
            sid=uuid4(),
            site=site,
            visitor=visitor,
            origin=origin,
            user_agent=user_agent[:400],
            metadata=metadata,
            created_at=now,
            expires_at=_expiry(now),
        )
    return _opened(session, visitor, now)


def refresh_session(*, token: str, now: datetime) -> Opened:
    """A new token for the session of one that may have expired up to 24 h ago.

    Raises Unauthorized when the token is not ours, is too old or its session was revoked.
    """
    claims = verify(token, now=now, grace=REFRESH_GRACE)
    with transaction.atomic():
        session = (
            VisitorSession.objects.select_for_update(of=("self",))
            .select_related("visitor", "site")
            .filter(sid=claims.sid, revoked_at__isnull=True)
            .first()
        )
        if session is None:
            raise Unauthorized("This session has ended. Start a new one.")
        session.expires_at = _expiry(now)
        session.save(update_fields=["expires_at"])
    return _opened(session, session.visitor, now)


def revoke_sessions(*, agent: Agent, contact_id: int, now: datetime) -> list[str]:
    """End every session of a contact: tokens, and realtime tokens issued until now.

    Returns the visitor ids whose connections the caller closes with 4501. Raises Forbidden and
    NotFound.
    """
    if not may_revoke_sessions(agent):
        raise Forbidden
    with transaction.atomic():
        contact = Contact.objects.filter(
            pk=contact_id, organization_id=agent.organization_id
        ).first()
        if contact is None:
            raise NotFound
        VisitorSession.objects.filter(visitor__contact=contact, revoked_at__isnull=True).update(
            revoked_at=now
        )
        channels = VisitorChannel.objects.filter(contact_id=contact_id)
        channels.update(revoked_at=now)
        publish(
            VisitorSessionsRevoked(
                at=now,
                organization_id=agent.organization_id,
                contact_id=contact_id,
                visitor=SessionRevoked(),
            )
        )
        return list(channels.values_list("visitor_id", flat=True))


def delete_expired(*, now: datetime, limit: int = 1000) -> int:
    """Delete sessions that not even a refresh can revive; returns how many, at most `limit`."""
    stale = VisitorSession.objects.filter(expires_at__lt=now - REFRESH_GRACE)
    doomed: list[UUID] = list(stale.values_list("sid", flat=True)[:limit])
    return VisitorSession.objects.filter(sid__in=doomed).delete()[0]


def _check_engagement(site: Site, visitor_id: str, engagement_id: int) -> None:
    own = Conversation.objects.filter(
        pk=engagement_id, site=site, contact__visitors__visitor_id=visitor_id
    )
    if not own.exists():
        raise EngagementForbidden


def _get_or_create_visitor(site: Site, visitor_id: str, now: datetime) -> Visitor:
    visitor = Visitor.objects.filter(visitor_id=visitor_id).first()
    if visitor is None:
        with transaction.atomic():
            contact = Contact.objects.create(organization_id=site.organization_id, created_at=now)
            streams.open_contact(contact.pk)
            visitor = Visitor.objects.create(
                organization_id=site.organization_id,
                contact=contact,
                visitor_id=visitor_id,
                created_at=now,
            )
            streams.open_channel(visitor_id, contact.pk, site.organization_id)
    if visitor.organization_id != site.organization_id:
        raise VisitorIdTaken
    return visitor


def _note_claims(contact_id: int, *, name: str, email: str, now: datetime) -> None:
    """Take over what a visitor claims to be, unless it is known better."""
    streams.lock_contacts([contact_id])
    contact = Contact.objects.get(pk=contact_id)
    if contact.verified:
        return
    renamed = bool(name) and name != contact.name
    if not renamed and email in {"", contact.email}:
        return
    contact.name, contact.email = name or contact.name, email or contact.email
    contact.save(update_fields=["name", "email"])
    if renamed:
        publish(*_contact_updated(contact, now))


def _contact_updated(contact: Contact, now: datetime) -> list[ContactUpdated]:
    """One for each site where agents see the contact in a conversation."""
    talks = contact.conversations.order_by("pk")
    still_open = dict(talks.exclude(status=ConversationStatus.CLOSED).values_list("site_id", "pk"))
    summary = get_contact_summary(contact)
    return [
        ContactUpdated(
            at=now,
            organization_id=contact.organization_id,
            site_id=site_id,
            conversation_id=still_open.get(site_id),
            contact_id=contact.pk,
            data=ContactUpdatedData(
                contact=summary,
                row=RowChange(id=still_open[site_id], contact=summary)
                if site_id in still_open
                else None,
            ),
        )
        for site_id in sorted(set(talks.values_list("site_id", flat=True)))
    ]


def _expiry(now: datetime) -> datetime:
    return (now + timedelta(seconds=settings.SESSION_TOKEN_TTL_S)).replace(microsecond=0)


def _opened(session: VisitorSession, visitor: Visitor, now: datetime) -> Opened:
    claims = SessionClaims(
        sid=session.sid,
        visitor_id=visitor.visitor_id,
        organization_id=visitor.organization_id,
        site_id=session.site_id,
        origin=session.origin,
        scopes=SCOPES,
        expires_at=session.expires_at,
    )
    open_conversation = Conversation.objects.exclude(status=ConversationStatus.CLOSED).filter(
        contact_id=visitor.contact_id, site_id=session.site_id
    )
    return Opened(
        token=issue(claims, now=now),
        expires_at=session.expires_at,
        organization_id=visitor.organization_id,
        conversation_id=open_conversation.values_list("pk", flat=True).first() or 0,
        scopes=SCOPES,
    )
