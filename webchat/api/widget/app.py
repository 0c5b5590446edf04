"""The widget's REST: a native ASGI application without middleware, before Django's.

Django's own handler costs about a millisecond of CPU a request under ASGI and starts threads for
each (docs/decisions/0003); a call here costs some tens of microseconds beside its database work.
"""

from contextlib import suppress

import structlog

from project.errors import AppError, MethodNotAllowed, NotFound
from webchat.api.widget import cors
from webchat.api.widget.auth import Gate
from webchat.api.widget.origin import OriginNotAllowed
from webchat.api.widget.request import ClientLeft, Receive, Request, Scope, Send
from webchat.api.widget.response import Response, refusal
from webchat.api.widget.routes import OPERATIONS, Handle

log = structlog.stdlib.get_logger(__name__)

ROUTES: dict[tuple[str, str], Handle] = {
    (operation.method, path): operation.handle
    for operation in OPERATIONS
    for path in operation.paths()
}
TREES = ("/api/v1/webchat/", "/v1/webchat/", "/api/v1/auth/widget/", "/v1/auth/widget/")
BODILESS = frozenset({204, 304})
LEAVES = frozenset(path for _, path in ROUTES if not path.startswith(TREES))


class WidgetApp:
    """An application has its own memory of tokens, sessions and sites."""

    def __init__(self) -> None:
        self._gate = Gate()

    def serves(self, path: str) -> bool:
        """Whether this application answers for a path, be it with a 404."""
        return path.startswith(TREES) or path in LEAVES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request.of(scope, receive)
        try:
            response = await self._answer(request)
        except ClientLeft:
            return
        with suppress(OSError):  # how servers say that the client has left
            await _write(send, request, response)
        if response.after is not None:
            response.after()

    async def _answer(self, request: Request) -> Response:
        try:
            if request.method == "OPTIONS":
                return cors.PREFLIGHT
            return await _find(request)(request, self._gate)
        except OriginNotAllowed as error:
            return refusal(error, readable=False)
        except AppError as error:
            return refusal(error)
        except ClientLeft:
            raise
        except Exception:  # the boundary: what went wrong stays in the log
            log.exception("widget_call_failed", method=request.method, path=request.path)
            return refusal(AppError())


def _find(request: Request) -> Handle:
    method = "GET" if request.method == "HEAD" else request.method
    handle = ROUTES.get((method, request.path))
    return _miss if handle is None else handle


async def _miss(request: Request, gate: Gate) -> Response:
    methods = [method for method, path in ROUTES if path == request.path]
    if not methods:
        raise NotFound("There is nothing at this address.")
    if "GET" in methods:
        methods.append("HEAD")
    return refusal(MethodNotAllowed(), (b"allow", ", ".join((*methods, "OPTIONS")).encode()))


async def _write(send: Send, request: Request, response: Response) -> None:
    headers = [*response.headers, *cors.headers(request.origin, readable=response.readable)]
    if response.status not in BODILESS:
        headers.append((b"content-length", b"%d" % len(response.body)))
    body = b"" if request.method == "HEAD" else response.body
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
