"""Shapes of requests and answers that are the agents' API's own; the rest are realtime's."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from project.errors import InvalidArgument
from realtime.commands import ClientId, Id, Text
from realtime.events.shapes import ConversationRow, Marks, MessageShape, Person, Status
from webchat.api.agent.parsing import Body, FreeObject, JsonObject, Limit, example
from webchat.queries.conversation import PAGE, View


class ConversationQuery(BaseModel):
    """`assignee` and `team` are ids."""

    view: View = "all"
    status: Status = "open"
    assignee: Id | None = None
    team: Id | None = None
    cursor: Text | None = Field(None, description="The `next` of the page before.")
    limit: Limit = PAGE


class SendMessage(Body):
    """`is_public` false makes it a private note, which no visitor ever sees."""

    model_config = example(content="Good day", client_message_id="cm-9f3e8a1b")

    content: Text = Field(description="1 to 10,000 characters.")
    client_message_id: ClientId | None = Field(
        None, description="Your id of this message: sent again, it is the same message."
    )
    is_public: bool = True
    parent_message_id: Id | None = Field(None, description="The message that this one answers.")


class Typing(Body):
    """Repeat `start` within 6 s to keep it. A note's typing is not shown to the visitor."""

    model_config = example(state="start")

    state: Literal["start", "stop"]
    is_note: bool = False


class Seen(Body):
    """The newest message that the agent has read, under either name."""

    model_config = example(message_id=98765)

    message_id: Id | None = None
    read_up_to: Id | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.message_id is None and self.read_up_to is None:
            raise InvalidArgument("Give message_id.", field="message_id")
        return self

    @property
    def newest(self) -> int:
        return max(self.message_id or 0, self.read_up_to or 0)


class Assign(Body):
    """An agent or a team by id; null for nobody."""

    model_config = example(agent_id=7)

    agent_id: Id | None = None
    team_id: Id | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if not self.model_fields_set:
            raise InvalidArgument("Give agent_id or team_id; null is for nobody.", field="agent_id")
        return self


class Close(Body):
    model_config = example(reason="Solved")

    reason: Annotated[Text, Field(max_length=200)] | None = Field(
        None, description="The visitor sees it."
    )


class NewSite(Body):
    model_config = example(name="Shop", allowed_origins=["https://shop.example"])

    name: Text = Field(min_length=1, max_length=120)
    locale: Text = Field("en", pattern="^[A-Za-z0-9-]{2,16}$")
    allowed_origins: list[Text] = Field(
        default_factory=list,
        max_length=100,
        description="`https://acme.com`, `*.acme.com`, `acme.com`, `localhost:5173`, or `*`.",
    )
    agency_mode: bool = Field(
        default=False, description="Lets any origin in, where production asks for a list."
    )
    appearance: FreeObject = Field(default_factory=dict, description="What the widget looks like.")


class ConversationPage(BaseModel):
    """`seq` and `epoch` were read before the rows: apply events above `seq`."""

    items: list[ConversationRow]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")
    seq: int
    epoch: str


class ConversationSnapshot(ConversationRow):
    """A row, how far each side has read, and its place in the agents' stream."""

    marks: Marks
    seq: int
    epoch: str


class MessagePage(BaseModel):
    """Oldest first. `has_more`: there are messages before the first one."""

    messages: list[MessageShape]
    has_more: bool
    seq: int
    epoch: str


class EventFrame(BaseModel):
    """A durable event as agents' sockets get it."""

    type: str
    seq: int
    event_id: str
    conversation_id: int
    data: dict[str, Any]


class EventPage(BaseModel):
    items: list[EventFrame]
    next: int | None = Field(description="The `after` of the next page; null on the last.")


class SentMessage(BaseModel):
    """`deduped`: the same client_message_id had stored this message before."""

    message_id: int
    engagement_id: int = Field(description="The conversation's id.")
    created_at: datetime
    deduped: bool
    message: MessageShape


class SiteShape(BaseModel):
    id: int
    widget_key: str
    name: str
    locale: str
    allowed_origins: list[str]
    agency_mode: bool
    appearance: JsonObject
    created_at: datetime


class SitePage(BaseModel):
    items: list[SiteShape]
    next: str | None = Field(description="The `cursor` of the next page; null on the last.")


class MyAgent(BaseModel):
    """`status` is what the agent says of themselves."""

    id: int
    name: str
    email: str
    role: str
    status: str


class MyMembership(BaseModel):
    """A token shows only its own."""

    id: int
    organization: Person
    role: str


class Me(BaseModel):
    """`organization_id` is the one that this call acts in; `scopes` are a token's, else null."""

    agent: MyAgent
    organization_id: int
    memberships: list[MyMembership]
    permissions: list[str]
    scopes: list[str] | None
