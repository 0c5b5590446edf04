"""Messages and private notes of a conversation."""

from django.utils import timezone
from ninja import Router

from project.database import write_blocking
from project.errors import NotFound
from realtime.commands import Id
from webchat.api.agent.auth import AgentRequest
from webchat.api.agent.operation import call
from webchat.api.agent.parsing import Limit
from webchat.api.agent.schemas import MessagePage, SendMessage, SentMessage
from webchat.queries import message as queries
from webchat.services.errors import ContentTooLong, ConversationSuperseded, EmptyContent
from webchat.services.message.agent import send_agent_message

router = Router(tags=["Messages"])
MESSAGES = "/conversations/{rowid:conversation_id}/messages"


@router.get(MESSAGES, response=MessagePage, summary="List messages", **call("read", NotFound))
def list_messages(
    request: AgentRequest,
    conversation_id: Id,
    before: Id | None = None,
    limit: Limit = queries.PAGE,
) -> MessagePage:
    """The newest ones, or the newest below the id `before`; oldest first."""
    page = queries.get_history(request.auth, conversation_id, before=before, limit=limit)
    return MessagePage(
        messages=page.history.messages,
        has_more=page.history.has_more,
        seq=page.position.seq,
        epoch=page.position.epoch,
    )


@router.post(
    MESSAGES,
    response={201: SentMessage},
    summary="Send a message or a note",
    **call("write", NotFound, EmptyContent, ContentTooLong, ConversationSuperseded),
)
def send_message(request: AgentRequest, conversation_id: Id, payload: SendMessage) -> SentMessage:
    """A message to a closed conversation reopens it; a note does not."""
    sent = write_blocking(
        send_agent_message,
        agent=request.auth,
        conversation_id=conversation_id,
        now=timezone.now(),
        **dict(payload),
    )
    message = sent.message
    return SentMessage(
        message_id=message.id,
        engagement_id=conversation_id,
        created_at=message.created_at,
        deduped=sent.deduped,
        message=message,
    )
