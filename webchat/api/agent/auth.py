"""Who calls: an API token, or the session of a signed-in browser with its CSRF token."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from project.errors import AppError, Forbidden, Unauthorized
from webchat.permissions import has_scope
from webchat.principal import Agent, Scope
from webchat.queries.agent import find_by_session, find_by_token

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class CsrfFailed(AppError):
    """A browser's call that may not have been the page's own."""

    code = "CSRF_FAILED"
    status = 403
    message = "Send the value of the CSRF cookie in the header X-CSRFToken."


class AgentRequest(HttpRequest):
    """What an operation gets once the caller is known."""

    auth: Agent


class Token(HttpBearer):
    """`Authorization: Bearer kt_...`. Where the header is, no cookie stands in for it."""

    openapi_description = "An API token (`kt_...`). Its scopes say which calls it may make."

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> Agent | None:
        """Raises Unauthorized for a header that names no valid token, and Forbidden."""
        header = request.headers.get(self.header)
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != self.openapi_scheme:
            raise Unauthorized
        return self.authenticate(request, token.strip())

    def authenticate(self, request: HttpRequest, token: str) -> Agent:
        agent = find_by_token(token, now=timezone.now())
        if agent is None:
            raise Unauthorized("This token is unknown, expired or revoked.")
        if not has_scope(agent, self.scope):
            raise Forbidden(f"This token lacks the scope {self.scope}.", scope=self.scope)
        return agent


class Session(APIKeyCookie):
    """The session cookie; a call that changes something also needs the header X-CSRFToken."""

    param_name = settings.SESSION_COOKIE_NAME
    openapi_description = (
        "The cookie of a signed-in browser. Calls other than GET also need the header "
        f"`X-CSRFToken` with the value of the cookie `{settings.CSRF_COOKIE_NAME}`."
    )

    def __call__(self, request: HttpRequest) -> Agent | None:
        """None for nobody; raises CsrfFailed for somebody whose page did not send the token."""
        agent = self.authenticate(request, request.COOKIES.get(self.param_name))
        if agent and request.method not in SAFE_METHODS and check_csrf(request) is not None:
            raise CsrfFailed
        return agent

    def authenticate(self, request: HttpRequest, key: str | None) -> Agent | None:
        # A quoted cookie may hold any byte; a session's key is letters and digits.
        return find_by_session(key) if key and key.isalnum() else None
