"""Conversations: the list, one of them, and the agents' hold on it."""

from django.http import HttpResponse
from django.utils import timezone
from ninja import Query, Router

from project.database import write_blocking
from project.errors import NotFound
from realtime.commands import Id
from realtime.events.shapes import ConversationRow
from webchat.api.agent.auth import AgentRequest
from webchat.api.agent.operation import call
from webchat.api.agent.parsing import Limit
from webchat.api.agent.schemas import (
    Assign,
    Close,
    ConversationPage,
    ConversationQuery,
    ConversationSnapshot,
    EventPage,
)
from webchat.queries import conversation as queries
from webchat.queries.conversation import Filters
from webchat.services import conversation as services
from webchat.services.errors import (
    AlreadyAssigned,
    ConversationClosedError,
    ConversationSuperseded,
)

router = Router(tags=["Conversations"])
ONE = "/conversations/{rowid:conversation_id}"
WITHOUT_REASON = Close()


@router.get(
    "/conversations", response=ConversationPage, summary="List conversations", **call("read")
)
def list_conversations(request: AgentRequest, query: Query[ConversationQuery]) -> ConversationPage:
    """Newest activity first."""
    filters = Filters(
        view=query.view, status=query.status, assignee=query.assignee, team=query.team
    )
    page = queries.list_page(request.auth, filters, cursor=query.cursor, limit=query.limit)
    return ConversationPage(
        items=page.items, next=page.next, seq=page.position.seq, epoch=page.position.epoch
    )


@router.get(
    ONE, response=ConversationSnapshot, summary="Get a conversation", **call("read", NotFound)
)
def get_conversation(request: AgentRequest, conversation_id: Id) -> ConversationSnapshot:
    found = queries.get_snapshot(request.auth, conversation_id)
    return ConversationSnapshot(
        **dict(found.row),
        marks=found.marks,
        seq=found.position.seq,
        epoch=found.position.epoch,
    )


@router.get(
    f"{ONE}/events",
    response=EventPage,
    summary="List a conversation's events",
    **call("read", NotFound),
)
def list_conversation_events(
    request: AgentRequest, conversation_id: Id, after: Id = 0, limit: Limit = queries.PAGE
) -> HttpResponse:
    """Its durable events in order, as agents' sockets get them, from the last days' log."""
    page = queries.list_events(request.auth, conversation_id, after=after, limit=limit)
    frames = ",".join("{" + event.agent_frame() for event in page.items)
    following = "null" if page.next is None else page.next
    body = f'{{"items":[{frames}],"next":{following}}}'  # the payloads are JSON text already
    return HttpResponse(body, content_type="application/json")


@router.post(
    f"{ONE}/claim",
    response=ConversationRow,
    summary="Claim a conversation",
    **call("write", NotFound, AlreadyAssigned, ConversationClosedError),
)
def claim_conversation(request: AgentRequest, conversation_id: Id) -> ConversationRow:
    """Become the owner of an open conversation that nobody owns."""
    return write_blocking(
        services.claim, agent=request.auth, conversation_id=conversation_id, now=timezone.now()
    )


@router.post(
    f"{ONE}/assign",
    response=ConversationRow,
    summary="Assign a conversation",
    **call("write", NotFound, ConversationClosedError),
)
def assign_conversation(
    request: AgentRequest, conversation_id: Id, payload: Assign
) -> ConversationRow:
    """Give it to an agent, to a team, or to nobody (null)."""
    return write_blocking(
        services.assign,
        agent=request.auth,
        conversation_id=conversation_id,
        agent_id=payload.agent_id,
        team_id=payload.team_id,
        now=timezone.now(),
    )


@router.post(
    f"{ONE}/close",
    response=ConversationRow,
    summary="Close a conversation",
    **call("write", NotFound),
)
def close_conversation(
    request: AgentRequest,
    conversation_id: Id,
    payload: Close = WITHOUT_REASON,
) -> ConversationRow:
    """Closing a closed one changes nothing."""
    return write_blocking(
        services.close,
        agent=request.auth,
        conversation_id=conversation_id,
        reason=payload.reason or "",
        now=timezone.now(),
    )


@router.post(
    f"{ONE}/reopen",
    response=ConversationRow,
    summary="Reopen a conversation",
    **call("write", NotFound, ConversationSuperseded),
)
def reopen_conversation(request: AgentRequest, conversation_id: Id) -> ConversationRow:
    """Reopening an open one changes nothing."""
    return write_blocking(
        services.reopen, agent=request.auth, conversation_id=conversation_id, now=timezone.now()
    )
