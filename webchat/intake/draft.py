"""A message before and after it is stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

PREVIEW_LENGTH = 160


@dataclass(frozen=True, slots=True)
class VisitorDraft:
    """`engagement_id` is what the client believes to be in; 0 where it knows none.

    `public_id` is the conversation's where this message opens one. `external_id` is None where
    the client gave no id, and then nothing is recognised as a repetition.
    """

    organization_id: int
    site_id: int
    contact_id: int
    engagement_id: int
    public_id: str
    content: str
    parent_id: int | None
    external_id: str | None
    metadata: dict[str, Any]
    now: datetime

    @property
    def preview(self) -> str:
        return preview_of(self.content)


@dataclass(frozen=True, slots=True)
class Stored:
    """`started` tells whether the message opened its conversation."""

    message_id: int
    conversation_id: int
    unread_count: int
    started: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyDraft:
    """An agent's public message. `site_ids` are the sites that the agent sees; None for all."""

    organization_id: int
    site_ids: frozenset[int] | None
    conversation_id: int
    sender_user_id: int
    content: str
    external_id: str | None
    now: datetime

    @property
    def preview(self) -> str:
        return preview_of(self.content)


@dataclass(frozen=True, slots=True)
class StoredReply:
    """`site_id` and `contact_id` are the conversation's."""

    message_id: int
    site_id: int
    contact_id: int


def preview_of(content: str) -> str:
    """The start of a message in one line, for lists."""
    return " ".join(content[: 2 * PREVIEW_LENGTH].split())[:PREVIEW_LENGTH]
