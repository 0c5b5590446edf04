"""What the widget's calls take and give; the OpenAPI document is made of the same classes."""

import math
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from project.errors import InvalidArgument
from realtime.events.shapes import MessageShape, Person

LARGEST_ID = 2**63 - 1


def _without_nul(text: str) -> str:
    """PostgreSQL cannot store NUL."""
    if "\0" in text:
        raise PydanticCustomError("nul", "Text must not contain NUL")
    return text


def _storable(value: dict[str, Any]) -> dict[str, Any]:
    """JSON that every database takes: no NUL, and no NaN or infinity, which our parser lets in."""
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending += item
            pending += item.values()
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, str):
            _without_nul(item)
        elif isinstance(item, float) and not math.isfinite(item):
            raise PydanticCustomError("number", "Numbers must be finite")
    return value


Id = Annotated[int, Field(ge=0, le=LARGEST_ID)]
Text = Annotated[str, AfterValidator(_without_nul)]
Metadata = Annotated[dict[str, Any], AfterValidator(_storable)]
WidgetKey = Annotated[str, Field(pattern=r"^wk_[0-9a-f]{32}$")]


class Body(BaseModel):
    """A request's JSON object: types are exact, fields that this version does not know ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Query(BaseModel):
    """A request's query string, in which everything is text."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConfigQuery(Query):
    widget_key: WidgetKey


class Availability(Answer):
    """`online`: an agent is there and available."""

    online: bool


class Config(Answer):
    """What the launcher needs before anybody opens it."""

    name: str
    locale: str
    appearance: dict[str, Any]
    availability: Availability
    init_challenge: Literal["optional"]


class SessionRequest(Body):
    """`visitor_id` is a version-4 UUID, bare or behind `v-`; make one and keep it.

    Name and e-mail are shown to agents as claimed.
    """

    widget_key: WidgetKey
    visitor_id: Text
    engagement_id: Id | None = None
    visitor_name: Annotated[Text, Field(max_length=200)] | None = None
    visitor_email: Annotated[Text, Field(max_length=254)] | None = None
    metadata: Metadata | None = None


class RefreshRequest(Body):
    """The token may have expired up to 24 hours ago."""

    session_token: str


class SessionAnswer(Answer):
    """`engagement_id` is the open one; 0 for none."""

    session_token: str
    expires_at: datetime
    organization_id: int
    engagement_id: int
    scopes: list[str]


class Recovery(Answer):
    """The stream's position before `messages` were read: subscribe from there without a gap."""

    offset: int
    epoch: str


class BootstrapAnswer(Answer):
    """`messages` oldest first; `read_up_to` is the newest message that an agent has read.

    `expires_at` (Unix seconds) is when the first of the tokens ends. Where the transport could not
    be asked in time, `recovery_unavailable` stands in for `recovery`: reconcile by history.
    """

    centrifugo_url: str
    connection_token: str
    subscription_token: str
    visitor_channel: str
    visitor_id: str
    engagement_id: int
    messages: list[MessageShape]
    has_more: bool
    agent: Person | None
    unread_count: int
    read_up_to: int
    expires_at: int
    recovery: Recovery | None = None
    recovery_unavailable: bool = False


class MessageRequest(Body):
    """`client_message_id` makes a send idempotent: any number of retries store one message."""

    content: Text
    engagement_id: Id | None = None
    message_type: Literal["TEXT"] = "TEXT"
    client_message_id: Annotated[Text, Field(max_length=200)] | None = None
    parent_message_id: Id | None = None
    metadata: Metadata | None = None


class SentAnswer(Answer):
    """`deduped`: this client_message_id had been stored before, and this is that message."""

    message_id: int
    engagement_id: int
    created_at: datetime
    deduped: bool


class HistoryQuery(Query):
    """Messages with ids below `before`; `limit` counts as at least 1 and at most 100."""

    before: Id | None = None
    limit: int = 50


class HistoryAnswer(Answer):
    """Oldest first. `has_more`: there are older ones still."""

    messages: list[MessageShape]
    has_more: bool


class TypingRequest(Body):
    """Without an engagement nobody could have it open, so nothing happens."""

    state: Literal["start", "stop"]
    engagement_id: Id | None = None


class SeenRequest(Body):
    """Everything up to and including these messages was read, or received by the device."""

    engagement_id: Id
    message_id: Id | None = None
    delivered_up_to: Id | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.message_id is None and self.delivered_up_to is None:
            raise InvalidArgument("message_id: Give it or delivered_up_to.", field="message_id")
        return self


class Fault(Answer):
    """`code` is for programs and stays; `message` is for people and may change."""

    code: str
    message: str
    details: dict[str, Any]


class ErrorAnswer(Answer):
    error: Fault
