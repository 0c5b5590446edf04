"""The one base of anticipated errors; interfaces map it to HTTP answers and socket frames.

Concrete errors stand beside the service that raises them; the few here are raised everywhere.
"""

from typing import Any, ClassVar


class AppError(Exception):
    """An anticipated refusal: a stable `code` for programs, and what to do in words for people.

    `details` is shown to the caller, so it never carries secrets or another organization's data.
    """

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    message: ClassVar[str] = "Something went wrong on our side. Try again in a moment."

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.text = message or self.message
        self.details = details
        super().__init__(self.text)

    def body(self) -> dict[str, Any]:
        """The `error` object of every HTTP answer and socket frame."""
        return {"code": self.code, "message": self.text, "details": self.details}


class InvalidArgument(AppError):
    """A field is missing or of the wrong type; `details.field` names it."""

    code = "INVALID_ARGUMENT"
    status = 400
    message = "A field of the request is missing or of the wrong type."


class InvalidBody(AppError):
    code = "INVALID_BODY"
    status = 400
    message = "The body must be a JSON object."


class Unauthorized(AppError):
    code = "UNAUTHORIZED"
    status = 401
    message = "Sign in, or send a valid token."


class Forbidden(AppError):
    code = "FORBIDDEN"
    status = 403
    message = "Your role or token does not permit this."


class NotFound(AppError):
    """Also the answer for ids of another organization, so that nobody can probe for them."""

    code = "NOT_FOUND"
    status = 404
    message = "There is nothing with that id here."


class MethodNotAllowed(AppError):
    code = "METHOD_NOT_ALLOWED"
    status = 405
    message = "This address does not take that method."


class PayloadTooLarge(AppError):
    code = "PAYLOAD_TOO_LARGE"
    status = 413
    message = "The body is over the limit of 128 KiB."
