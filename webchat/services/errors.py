"""Refusals that several services share."""

from project.errors import AppError


class ConversationSuperseded(AppError):
    """`details.conversation_id` is the one that is open."""

    code = "CONVERSATION_SUPERSEDED"
    status = 409
    message = "This contact has another open conversation on the site. Continue there."


class ConversationClosedError(AppError):
    code = "CONVERSATION_CLOSED"
    status = 409
    message = "The conversation is closed. Reopen it first."


class AlreadyAssigned(AppError):
    """`details.agent_id` and `details.agent_name` say to whom."""

    code = "ALREADY_ASSIGNED"
    status = 409
    message = "Somebody else has taken this conversation. Assign it to yourself to take it over."


class EmptyContent(AppError):
    code = "EMPTY_CONTENT"
    status = 400
    message = "A message needs some text."


class ContentTooLong(AppError):
    code = "CONTENT_TOO_LONG"
    status = 400
    message = "A message has at most 10,000 characters."


class EngagementForbidden(AppError):
    """Foreign and unknown engagements alike, so that nobody can probe."""

    code = "ENGAGEMENT_FORBIDDEN"
    status = 403
    message = "This engagement is not this visitor's."
