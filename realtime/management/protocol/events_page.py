"""docs/events.md."""

from functools import cache
from pathlib import Path

from realtime.events import CATALOGUE, Audience, Event, Shape
from realtime.management.protocol.frames import CONTROL_FRAMES
from realtime.management.protocol.markdown import anchor, fields_table, prose, table
from realtime.management.protocol.schemas import (
    Schema,
    definitions,
    for_agents,
    for_visitors,
    payload_of,
    visitor_type_of,
)

PAGE = Path(__file__).parent / "pages" / "events.md"
AGENTS = {
    Audience.SITE: "those who see the site",
    Audience.CONVERSATION: "those who have the conversation open",
}


def render() -> str:
    """The catalogue for people who write a client."""
    parts = {
        "overview": _overview(),
        "events": "\n\n".join(_event(event) for event in CATALOGUE),
        "control": "\n\n".join(_control(shape) for shape in CONTROL_FRAMES),
        "shapes": "\n\n".join(_shared(name, schema) for name, schema in _shared_shapes().items()),
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, text in parts.items():
        page = page.replace(f"[[{name}]]", text)
    return page


def _overview() -> str:
    rows = [
        [
            f"[`{event.type}`]({anchor(event.type)})",
            "durable" if event.durable else "ephemeral",
            AGENTS[event.audience] if payload_of(event, "data") else "-",
            f"`{visitor_type_of(event)}`" if payload_of(event, "visitor") else "-",
        ]
        for event in CATALOGUE
    ]
    return table(["event", "kept", "agents", "the visitor, as"], rows)


def _event(event: type[Event]) -> str:
    return "\n\n".join(
        [f"## {event.type}", prose(event), *_agent_side(event), *_visitor_side(event)]
    )


def _agent_side(event: type[Event]) -> list[str]:
    payload = payload_of(event, "data")
    if payload is None:
        return ["Agents get nothing."]
    numbers = "a numbered frame" if event.durable else "a frame without a number"
    return [
        f"**Agents**: {AGENTS[event.audience]} get {numbers} with this `data`:",
        *_payload(payload),
    ]


def _visitor_side(event: type[Event]) -> list[str]:
    payload = payload_of(event, "visitor")
    if payload is None:
        return ["**The visitor** gets nothing."]
    numbers = "numbered" if event.durable else "without a number"
    never = "" if event.model_fields["visitor"].annotation is payload else ", or nothing"
    return [
        f"**The visitor** gets `{visitor_type_of(event)}`, {numbers}, with this `data`{never}:",
        *_payload(payload),
    ]


def _payload(shape: type[Shape]) -> list[str]:
    return [prose(shape), fields_table(_all_definitions()[shape.__name__], _link)]


def _control(shape: type[Shape]) -> str:
    schema = definitions([shape])
    name = schema[shape.__name__]["properties"]["type"]["const"]
    counts = schema.get("Counts")
    parts = [f"### {name}", prose(shape), fields_table(schema[shape.__name__], str)]
    if counts:
        parts += [f"`Counts`: {counts['description']}", fields_table(counts, str)]
    return "\n\n".join(parts)


def _shared(name: str, schema: Schema) -> str:
    parts = [f"### {name}", " ".join(schema.get("description", "").split())]
    return "\n\n".join([*parts, fields_table(schema, _link)])


def _shared_shapes() -> dict[str, Schema]:
    """What payloads refer to, without the payloads themselves."""
    payloads = {payload_of(event, field) for event in CATALOGUE for field in ("data", "visitor")}
    names = {shape.__name__ for shape in payloads if shape}
    found = {name: schema for name, schema in _all_definitions().items() if name not in names}
    return dict(sorted(found.items()))


@cache
def _all_definitions() -> dict[str, Schema]:
    agents = [payload_of(event, "data") for event in for_agents()]
    visitors = [payload_of(event, "visitor") for event in for_visitors()]
    return definitions(shape for shape in (*agents, *visitors) if shape)


def _link(name: str) -> str:
    return f"[{name}]({anchor(name)})"
