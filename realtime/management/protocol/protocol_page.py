"""docs/protocol.md."""

from pathlib import Path

from pydantic import BaseModel

from project.errors import AppError
from realtime.close_codes import CloseCode
from realtime.commands import COMMANDS, Command, Frame, Hello
from realtime.gateway.codes import Close, Error
from realtime.management.protocol.errors import list_errors
from realtime.management.protocol.frames import Welcome, WelcomeAgent
from realtime.management.protocol.markdown import fields_line, fields_table, prose, table
from realtime.management.protocol.schemas import definitions

PAGE = Path(__file__).parent / "pages" / "protocol.md"

ROW = "`conversation`: the list row as it is now"
ANSWERS = {
    "list.subscribe": "`items`, `next`, `counts`, `seq`, `epoch`",
    "conversation.open": (
        "`conversation`, `marks`, `messages` (the newest 50), `has_more`, `seq`, `epoch`"
    ),
    "conversation.claim": ROW,
    "conversation.assign": ROW,
    "conversation.close": ROW,
    "conversation.reopen": ROW,
    "message.send": "`message`, `deduped`",
    "note.add": "`message`, `deduped`",
    "typing.start": "-",
    "typing.stop": "-",
    "viewing": "-",
    "seen": "-",
    "presence.set": "`status`",
}
"""What `data` of each command's answer has; a command without a line here cannot be exported."""


def render() -> str:
    """Frames, commands and codes, for people who write a client."""
    parts = {
        "frame": _shape(Frame),
        "hello": _shape(Hello),
        "welcome": _shape(Welcome),
        "welcome_agent": _shape(WelcomeAgent),
        "commands": _commands(),
        "close_codes": _close_codes(),
        "gateway_close_codes": _gateway_close_codes(),
        "gateway_errors": _gateway_errors(),
        "errors": _errors(),
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, text in parts.items():
        page = page.replace(f"[[{name}]]", text)
    return page


def _shape(model: type[BaseModel]) -> str:
    schema = definitions([model])[model.__name__]
    return f"{prose(model)}\n\n{fields_table(schema, str)}"


def _commands() -> str:
    rows = [
        [f"`{name}`", prose(command).replace("\n\n", " "), _data(command), ANSWERS[name]]
        for name, command in COMMANDS.items()
    ]
    return table(["command", "what it does", "data", "answer's data"], rows)


def _data(command: type[Command]) -> str:
    return fields_line(definitions([command])[command.__name__], str)


def _close_codes() -> str:
    rows = [[str(code.value), code.meaning, code.client] for code in CloseCode]
    return table(["code", "meaning", "the client"], rows)


def _gateway_close_codes() -> str:
    rows = [[str(code), reason or "-", _after(code)] for code, reason in _values(Close)]
    return table(["code", "reason", "official clients"], rows)


def _gateway_errors() -> str:
    return table(["code", "message"], ([str(code), text] for code, text in _values(Error)))


def _values(codes: type[Close] | type[Error]) -> list[tuple[int, str]]:
    return [member.value for member in codes]


def _after(code: int) -> str:
    """The Centrifuge protocol's ranges; 1009 is the one code below 3000 that is final."""
    final = code == 1009 or 3500 <= code < 4000 or 4500 <= code < 5000
    return "stop" if final else "reconnect"


def _errors() -> str:
    rows = [
        [f"`{error.code}`", str(error.status), error.message, _note(error)]
        for error in list_errors()
    ]
    return table(["code", "status", "message", "note"], rows)


def _note(error: type[AppError]) -> str:
    """The class's own docstring; the base's is for those who derive from it."""
    own = "" if error is AppError else error.__dict__.get("__doc__")
    return " ".join((own or "").split())
