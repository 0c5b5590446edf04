"""What a message may say, and whether it was said already."""

from webchat.models import Message
from webchat.queries import message as messages
from webchat.services.errors import ContentTooLong, EmptyContent

MAX_LENGTH = 10_000


class NothingStored(Exception):
    """Rolls a transaction back in which the intake stored nothing; no caller sees it."""


def check_content(content: str) -> None:
    """Raises EmptyContent or ContentTooLong."""
    if not content.strip():
        raise EmptyContent
    if len(content) > MAX_LENGTH:
        raise ContentTooLong(limit=MAX_LENGTH, length=len(content))


def find_first(organization_id: int, external_id: str | None) -> Message | None:
    """The message that an earlier try has stored, with its sender."""
    if external_id is None:
        return None
    rows = Message.objects.filter(organization_id=organization_id, external_id=external_id)
    return messages.with_senders(rows).first()
