"""What an agent does in a conversation beside writing: typing and reading."""

from django.utils import timezone
from ninja import Router

from project.database import write_blocking
from project.errors import NotFound
from realtime.commands import Id
from webchat.api.agent.auth import AgentRequest
from webchat.api.agent.operation import call
from webchat.api.agent.schemas import Seen, Typing
from webchat.services import activity as services

router = Router(tags=["Conversations"])
ONE = "/conversations/{rowid:conversation_id}"


@router.post(
    f"{ONE}/typing",
    response={204: None},
    summary="Show that the agent types",
    **call("write", NotFound),
)
def show_typing(request: AgentRequest, conversation_id: Id, payload: Typing) -> None:
    """It ends by `stop`, or 6 s after the last `start`."""
    write_blocking(
        services.agent_typing,
        agent=request.auth,
        conversation_id=conversation_id,
        typing=payload.state == "start",
        is_note=payload.is_note,
        now=timezone.now(),
    )


@router.post(
    f"{ONE}/seen",
    response={204: None},
    summary="Mark messages as read",
    **call("write", NotFound),
)
def mark_seen(request: AgentRequest, conversation_id: Id, payload: Seen) -> None:
    """Up to and including a message; the mark never moves back."""
    write_blocking(
        services.agent_seen,
        agent=request.auth,
        conversation_id=conversation_id,
        read_up_to=payload.newest,
        now=timezone.now(),
    )
