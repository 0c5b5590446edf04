"""What an agent's client may ask over its socket: one typed shape per command.

A frame is `{id, type, data}`; the answer `{id, ok, data}` or `{id, ok: false, error}`. Unknown
fields are ignored, so that old servers and new clients mix.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _clean(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not contain NUL")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain half a surrogate pair")
    return text


Text = Annotated[str, AfterValidator(_clean)]
Id = Annotated[int, Field(ge=0, le=2**63 - 1)]
ClientId = Annotated[Text, Field(min_length=1, max_length=200)]


class Command(BaseModel):
    """Types are strict: a number in quotes is an error, not a number."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Hello(Command):
    """The first frame. Without `after` the socket is live from the head.

    `token` is an API token, needed only where no session cookie came with the handshake. The
    answer is `welcome`.
    """

    epoch: Text | None = None
    after: Id | None = None
    token: Text | None = None


class Subscribe(Command):
    """Make this the socket's one live list: its page now, `counts.changed` from now on.

    Also after every resume: marks and presence are in the rows, and no event of the log tells
    how they changed meanwhile.
    """

    view: Literal["mine", "unassigned", "all"] = "all"
    status: Literal["open", "closed"] = "open"
    assignee: Id | None = None
    team: Id | None = None
    cursor: Text | None = None


class OnConversation(Command):
    """A command that needs nothing but the conversation."""

    conversation_id: Id


class Open(OnConversation):
    """The conversation with its newest messages; its typing and viewing are sent from now on."""


class Claim(OnConversation):
    """Become the owner of a conversation that nobody owns."""


class Reopen(OnConversation):
    """Open a closed conversation again."""


class Assign(OnConversation):
    """Give the conversation to an agent, to a team, or to nobody (both null)."""

    agent_id: Id | None = None
    team_id: Id | None = None


class Close(OnConversation):
    """Close the conversation."""

    reason: Annotated[Text, Field(max_length=200)] = ""


class Send(OnConversation):
    """Write to the visitor. The same `client_message_id` again is the same message."""

    content: Text
    client_message_id: ClientId | None = None
    parent_message_id: Id | None = None


class AddNote(Send):
    """Write a private note, which no visitor ever sees."""


class Typing(OnConversation):
    """Show, or stop showing, that the agent types. Repeat a start within 6 s to keep it."""

    is_note: bool = False


class StopTyping(Typing):
    """The agent has stopped typing."""


class Viewing(Command):
    """Which conversation the agent looks at; null for none."""

    conversation_id: Id | None


class Seen(OnConversation):
    """The agent has read up to this message id."""

    read_up_to: Id


class SetPresence(Command):
    """What the agent says of themselves, in all their windows."""

    status: Literal["available", "busy", "away"]


COMMANDS: dict[str, type[Command]] = {
    "list.subscribe": Subscribe,
    "conversation.open": Open,
    "conversation.claim": Claim,
    "conversation.assign": Assign,
    "conversation.close": Close,
    "conversation.reopen": Reopen,
    "message.send": Send,
    "note.add": AddNote,
    "typing.start": Typing,
    "typing.stop": StopTyping,
    "viewing": Viewing,
    "seen": Seen,
    "presence.set": SetPresence,
}


class Frame(BaseModel):
    """The envelope. `id` is the client's and comes back with the answer."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: int | str | None = None
    type: str
    data: dict[str, Any] = {}
