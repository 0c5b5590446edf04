"""JSON Schemas of what travels to agents and visitors, made from the catalogue."""

from collections.abc import Iterable
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from realtime.events import CATALOGUE, Event, Shape
from realtime.management.protocol.frames import CONTROL_FRAMES

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REF = "#/$defs/{model}"
INTEGER: Schema = {"type": "integer"}
UUID: Schema = {"type": "string", "format": "uuid"}


def payload_of(event: type[Event], field: str) -> type[Shape] | None:
    """The shape that an event's `data` or `visitor` has; None where that side gets nothing."""
    annotation = event.model_fields[field].annotation
    for kind in get_args(annotation) or (annotation,):
        if kind is not None and kind is not NoneType:
            found: type[Shape] = kind
            return found
    return None


def for_agents() -> tuple[type[Event], ...]:
    """The events that agents get."""
    return tuple(event for event in CATALOGUE if payload_of(event, "data"))


def for_visitors() -> tuple[type[Event], ...]:
    """The events that visitors get."""
    return tuple(event for event in CATALOGUE if payload_of(event, "visitor"))


def visitor_type_of(event: type[Event]) -> str:
    """The wire name on the visitor's channel. Raises LookupError where the class names none."""
    if event.visitor_type is None:
        raise LookupError(f"{event.type} has a visitor payload and no visitor_type.")
    return event.visitor_type


def agent_schema() -> Schema:
    """Frames of the agents' socket that are no answers: events, and what keeps the position."""
    events = {f"{event.__name__}Frame": _frame(event) for event in for_agents()}
    control = definitions(CONTROL_FRAMES)
    return _union(
        "AgentEvent",
        "A frame on /ws/agent that answers no command. Made by `manage.py export_protocol`.",
        [*events, *(shape.__name__ for shape in CONTROL_FRAMES)],
        {**events, **control, **definitions(_payloads(for_agents(), "data"))},
    )


def visitor_schema() -> Schema:
    """Publications on `visitor:{visitor_id}`."""
    events = {_envelope_name(event): _envelope(event) for event in for_visitors()}
    return _union(
        "VisitorEvent",
        "A publication on visitor:{visitor_id}. Made by `manage.py export_protocol`.",
        list(events),
        {**events, **definitions(_payloads(for_visitors(), "visitor"))},
    )


def definitions(models: Iterable[type[BaseModel]]) -> dict[str, Schema]:
    """The models and all that they refer to, by name.

    A field with a default is one that may be absent on the wire, so no default is stated.
    """
    chosen = [(model, "validation") for model in models]
    _, schema = models_json_schema(chosen, ref_template=REF)  # type: ignore[arg-type] # a literal
    return {name: _clean(name, found) for name, found in schema.get("$defs", {}).items()}


def _payloads(events: Iterable[type[Event]], field: str) -> list[type[Shape]]:
    return [shape for event in events if (shape := payload_of(event, field))]


def _clean(name: str, schema: Schema) -> Schema:
    """Without the titles of fields, which generators of types would take for names of types."""
    fields = {key: _without(field) for key, field in schema.get("properties", {}).items()}
    rest = {key: value for key, value in schema.items() if key not in {"properties", "title"}}
    if schema.get("type") != "object":
        return {"title": name, **_without(rest)}
    return {"title": name, **rest, "properties": fields}


def _without(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key not in {"default", "title"}}


def _frame(event: type[Event]) -> Schema:
    payload = payload_of(event, "data")
    numbers = {"seq": INTEGER, "prev": INTEGER} if event.durable else {}
    return _object(
        f"{event.__name__}Frame",
        event,
        {
            "type": {"const": event.type},
            **numbers,
            "event_id": UUID,
            "conversation_id": {"type": ["integer", "null"]},
            "data": _reference(payload),
        },
    )


def _envelope(event: type[Event]) -> Schema:
    payload = payload_of(event, "visitor")
    numbers = {"seq": INTEGER} if event.durable else {}
    return _object(
        _envelope_name(event),
        event,
        {
            "type": {"const": visitor_type_of(event)},
            "engagement_id": INTEGER,
            **numbers,
            "event_id": UUID,
            "data": _reference(payload),
        },
    )


def _envelope_name(event: type[Event]) -> str:
    words = visitor_type_of(event).replace(".", "_").split("_")
    return "".join(word.capitalize() for word in words) + "Envelope"


def _object(title: str, event: type[Event], properties: Schema) -> Schema:
    return {
        "title": title,
        "description": description_of(event),
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def description_of(model: type[BaseModel]) -> str:
    """The class's docstring. Raises LookupError where it has none of its own."""
    text = model.__dict__.get("__doc__")
    if not text:
        raise LookupError(f"{model.__name__} says nothing about itself.")
    lines = [line.strip() for line in text.strip().splitlines()]
    return "\n".join(lines)


def _reference(payload: type[Shape] | None) -> Schema:
    if payload is None:
        raise LookupError("There is nothing to refer to.")
    return {"$ref": REF.format(model=payload.__name__)}


def _union(title: str, description: str, names: list[str], defined: dict[str, Schema]) -> Schema:
    return {
        "$schema": DIALECT,
        "title": title,
        "description": description,
        "oneOf": [{"$ref": REF.format(model=name)} for name in names],
        "$defs": {name: defined[name] for name in sorted(defined)},
    }
