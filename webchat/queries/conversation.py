"""Conversations as agents see them."""

import base64
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from project.errors import InvalidArgument, NotFound
from realtime.events.shapes import (
    ContactSummary,
    ConversationRow,
    LastMessage,
    Marks,
    Person,
    SenderTypeName,
    Status,
)
from realtime.log import read
from realtime.models import VisitorPresence
from realtime.outgoing import Outgoing
from webchat.models import Contact, Conversation, ConversationStatus
from webchat.principal import Agent

View = Literal["mine", "unassigned", "all"]
VIEWS: tuple[View, ...] = ("mine", "unassigned", "all")
PAGE = 50
ONLINE = "online"
MAX_CURSOR = 200


@dataclass(frozen=True, slots=True)
class Position:
    """The agents' stream before a snapshot's rows were read: events above it may be missing."""

    seq: int
    epoch: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list shows; None does not filter. `assignee` and `team` are ids."""

    view: View = "all"
    status: str = ConversationStatus.OPEN
    assignee: int | None = None
    team: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is the cursor of the following page; None on the last one."""

    items: list[ConversationRow]
    next: str | None
    position: Position


@dataclass(frozen=True, slots=True)
class Snapshot:
    row: ConversationRow
    marks: Marks
    position: Position


@dataclass(frozen=True, slots=True)
class EventPage:
    """`next` is the `after` of the following page; None on the last one."""

    items: list[Outgoing]
    next: int | None


def get_position(organization_id: int) -> Position:
    """Read it before the rows that it goes with."""
    return Position(read.get_heads([organization_id]).get(organization_id, 0), read.get_epoch())


def get_row(agent: Agent, conversation_id: int) -> ConversationRow:
    """Raises NotFound, also for what the agent may not see."""
    return to_row(get_visible(agent, conversation_id))


def get_snapshot(agent: Agent, conversation_id: int) -> Snapshot:
    """One conversation with its place in the stream. Raises NotFound."""
    position = get_position(agent.organization_id)
    conversation = get_visible(agent, conversation_id)
    return Snapshot(to_row(conversation), marks_of(conversation), position)


def get_visible(agent: Agent, conversation_id: int) -> Conversation:
    """The row with what a list shows beside it. Raises NotFound."""
    try:
        return with_people(visible_to(agent)).get(pk=conversation_id)
    except Conversation.DoesNotExist:
        raise NotFound from None


def list_page(
    agent: Agent, filters: Filters, *, cursor: str | None = None, limit: int = PAGE
) -> Page:
    """Newest activity first. Raises InvalidArgument for a cursor that no page gave out."""
    position = get_position(agent.organization_id)
    rows = _filtered(agent, filters)
    if cursor is not None:
        at, pk = _decode(cursor)
        rows = rows.filter(Q(last_activity_at__lt=at) | Q(last_activity_at=at, pk__lt=pk))
    found = list(with_people(rows).order_by("-last_activity_at", "-pk")[: limit + 1])
    more = len(found) > limit
    items = found[:limit]
    return Page([to_row(row) for row in items], _encode(items[-1]) if more else None, position)


def list_events(
    agent: Agent, conversation_id: int, *, after: int = 0, limit: int = PAGE
) -> EventPage:
    """A conversation's durable events with seq > `after`, in order. Raises NotFound."""
    if not visible_to(agent).filter(pk=conversation_id).exists():
        raise NotFound
    found = read.list_of_conversation(conversation_id, after, limit=limit + 1)
    items = found[:limit]
    return EventPage(items, items[-1].seq if len(found) > limit else None)


def count_open(organization_id: int) -> Counter[tuple[int, int | None]]:
    """How many open conversations there are for each (site id, assignee id or None)."""
    rows = (
        Conversation.objects.filter(organization_id=organization_id, status=ConversationStatus.OPEN)
        .values_list("site_id", "assignee_id")
        .annotate(size=Count("pk"))
        .order_by()
    )
    return Counter({(site_id, assignee_id): size for site_id, assignee_id, size in rows})


def counts_for(agent: Agent, counted: Counter[tuple[int, int | None]]) -> dict[str, int]:
    """The agent's share of `count_open`, per view."""
    seen = {
        key: size
        for key, size in counted.items()
        if agent.site_ids is None or key[0] in agent.site_ids
    }
    return {
        "mine": sum(size for (_, who), size in seen.items() if who == agent.user_id),
        "unassigned": sum(size for (_, who), size in seen.items() if who is None),
        "all": sum(seen.values()),
    }


def visible_to(agent: Agent) -> QuerySet[Conversation]:
    """Every conversation that the agent may see."""
    rows = Conversation.objects.filter(organization_id=agent.organization_id)
    return rows if agent.site_ids is None else rows.filter(site_id__in=agent.site_ids)


def with_people(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """What `to_row` needs, in the same query."""
    online = VisitorPresence.objects.filter(contact_id=OuterRef("contact_id"))
    return rows.select_related("contact", "assignee", "team").annotate(**{ONLINE: Exists(online)})


def to_row(conversation: Conversation) -> ConversationRow:
    """A row that came through `with_people`, as lists and events show it."""
    return ConversationRow(
        id=conversation.pk,
        public_id=conversation.public_id,
        status=cast("Status", conversation.status),
        contact=_summary(conversation.contact, online=getattr(conversation, ONLINE)),
        site_id=conversation.site_id,
        assignee=assignee_of(conversation),
        team=team_of(conversation),
        unread_count=conversation.unread_count,
        last_message=last_message_of(conversation),
        last_activity_at=conversation.last_activity_at,
        created_at=conversation.created_at,
    )


def get_contact_summary(contact: Contact) -> ContactSummary:
    """A contact as rows show it."""
    online = VisitorPresence.objects.filter(contact_id=contact.pk).exists()
    return _summary(contact, online=online)


def marks_of(conversation: Conversation) -> Marks:
    return Marks(
        agents_read_up_to=conversation.agents_read_up_to,
        visitor_read_up_to=conversation.visitor_read_up_to,
        visitor_delivered_up_to=conversation.visitor_delivered_up_to,
    )


def assignee_of(conversation: Conversation) -> Person | None:
    assignee = conversation.assignee
    return Person(id=assignee.pk, name=str(assignee)) if assignee else None


def team_of(conversation: Conversation) -> Person | None:
    team = conversation.team
    return Person(id=team.pk, name=team.name) if team else None


def last_message_of(conversation: Conversation) -> LastMessage | None:
    if conversation.last_message_at is None:
        return None
    return LastMessage(
        preview=conversation.last_message_preview,
        sender_type=cast("SenderTypeName", conversation.last_message_sender),
        created_at=conversation.last_message_at,
    )


def _summary(contact: Contact, *, online: bool) -> ContactSummary:
    return ContactSummary(
        id=contact.pk, name=contact.name or None, verified=contact.verified, online=online
    )


def _filtered(agent: Agent, filters: Filters) -> QuerySet[Conversation]:
    rows = visible_to(agent).filter(status=filters.status)
    if filters.view == "mine":
        rows = rows.filter(assignee_id=agent.user_id)
    elif filters.view == "unassigned":
        rows = rows.filter(assignee__isnull=True)
    if filters.assignee is not None:
        rows = rows.filter(assignee_id=filters.assignee)
    if filters.team is not None:
        rows = rows.filter(team_id=filters.team)
    return rows


def _encode(row: Conversation) -> str:
    place = json.dumps([row.last_activity_at.isoformat(), row.pk])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, int]:
    try:
        if len(cursor) > MAX_CURSOR:
            raise ValueError
        at, pk = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if type(pk) is not int or datetime.fromisoformat(at).tzinfo is None:
            raise ValueError
        return datetime.fromisoformat(at).astimezone(UTC), pk
    except (ValueError, TypeError, OverflowError):
        raise InvalidArgument(
            "The cursor is not one that a list gave out.", field="cursor"
        ) from None
