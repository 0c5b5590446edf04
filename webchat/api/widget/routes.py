"""The widget's calls, as one table."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from project.errors import AppError, NotFound, Unauthorized
from webchat.api.widget import activity, bootstrap, config, jwks, message, session
from webchat.api.widget import schemas as s
from webchat.api.widget.auth import Gate, WidgetNotFound
from webchat.api.widget.origin import OriginNotAllowed
from webchat.api.widget.request import Request
from webchat.api.widget.response import Response
from webchat.services.errors import ContentTooLong, EmptyContent, EngagementForbidden
from webchat.services.session import VisitorIdTaken

Handle = Callable[[Request, Gate], Awaitable[Response]]

PREFIX = "/api/v1/"
SECOND_PREFIX = "/v1/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`path` is the canonical one; `bearer` says that a session's token opens it.

    `refusals` are the operation's own, beside those that follow from the other fields.
    """

    method: str
    path: str
    handle: Handle
    summary: str
    status: int = 200
    bearer: bool = True
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    refusals: tuple[type[AppError], ...] = ()

    def paths(self) -> Iterator[str]:
        """Where it answers: each call of the API is the same one below the guide's prefix."""
        yield self.path
        if self.path.startswith(PREFIX):
            yield SECOND_PREFIX + self.path.removeprefix(PREFIX)


OPERATIONS = (
    Operation(
        method="GET",
        path="/api/v1/webchat/config",
        handle=config.get_config,
        summary="What a page's launcher needs",
        bearer=False,
        query=s.ConfigQuery,
        answer=s.Config,
        refusals=(NotFound, OriginNotAllowed),
    ),
    Operation(
        method="POST",
        path="/api/v1/auth/widget/session",
        handle=session.begin,
        summary="Begin a session",
        bearer=False,
        body=s.SessionRequest,
        answer=s.SessionAnswer,
        refusals=(NotFound, OriginNotAllowed, VisitorIdTaken, EngagementForbidden),
    ),
    Operation(
        method="POST",
        path="/api/v1/auth/widget/session/refresh",
        handle=session.refresh,
        summary="Exchange a session token for a fresh one",
        bearer=False,
        body=s.RefreshRequest,
        answer=s.SessionAnswer,
        refusals=(Unauthorized, WidgetNotFound, OriginNotAllowed),
    ),
    Operation(
        method="POST",
        path="/api/v1/webchat/bootstrap",
        handle=bootstrap.bootstrap,
        summary="The conversation, and the tokens to listen to it",
        answer=s.BootstrapAnswer,
    ),
    Operation(
        method="GET",
        path="/api/v1/webchat/messages",
        handle=message.list_messages,
        summary="Older messages",
        query=s.HistoryQuery,
        answer=s.HistoryAnswer,
    ),
    Operation(
        method="POST",
        path="/api/v1/webchat/messages",
        handle=message.send_message,
        summary="Send a message",
        status=201,
        body=s.MessageRequest,
        answer=s.SentAnswer,
        refusals=(EmptyContent, ContentTooLong, EngagementForbidden, NotFound),
    ),
    Operation(
        method="POST",
        path="/api/v1/webchat/typing",
        handle=activity.typing,
        summary="Tell the agents that the visitor types, or no longer does",
        status=204,
        body=s.TypingRequest,
        refusals=(EngagementForbidden,),
    ),
    Operation(
        method="POST",
        path="/api/v1/webchat/seen",
        handle=activity.seen,
        summary="Tell the agents how far the visitor has read",
        status=204,
        body=s.SeenRequest,
        refusals=(EngagementForbidden,),
    ),
    Operation(
        method="GET",
        path="/.well-known/jwks.json",
        handle=jwks.get_keys,
        summary="The public keys of session tokens",
        bearer=False,
    ),
)
