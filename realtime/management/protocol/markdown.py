"""Schemas as Markdown: tables of fields, and types in words."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from realtime.management.protocol.schemas import Schema

FORMATS = {"date-time": "time", "uuid": "UUID"}
PLAIN = {"integer": "integer", "string": "text", "boolean": "true or false"}

Link = Callable[[str], str]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def fields_table(schema: Schema, link: Link) -> str:
    """One row per field; `?` marks one that may be absent."""
    rows = [(name, type_text(field, link)) for name, field in list_fields(schema)]
    return table(["field", "type"], rows) if rows else "No fields."


def fields_line(schema: Schema, link: Link) -> str:
    """The same within one cell."""
    return "; ".join(f"{name}: {type_text(field, link)}" for name, field in list_fields(schema))


def list_fields(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Each field's name as Markdown, and its schema."""
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield f"`{name}`" if name in required else f"`{name}`?", field


def type_text(schema: Schema, link: Link) -> str:
    """`list of [Person](#person) or null`."""
    if "$ref" in schema:
        return link(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return _literal(schema["const"])
    if "enum" in schema:
        return " or ".join(_literal(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(type_text(each, link) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {type_text(schema['items'], link)}"
    return _plain(schema)


def prose(model: type[BaseModel]) -> str:
    """The docstring's paragraphs, each in one line."""
    text = "\n".join(line.strip() for line in (model.__doc__ or "").strip().splitlines())
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def anchor(heading: str) -> str:
    """GitHub's anchor of a heading that is one name."""
    return "#" + heading.lower().replace(".", "")


def _plain(schema: Schema) -> str:
    if "format" in schema:
        return FORMATS[schema["format"]]
    kind: str = schema.get("type", "anything")
    if "maxLength" in schema:
        return f"text of {schema.get('minLength', 0)} to {schema['maxLength']:,} characters"
    return PLAIN.get(kind, kind)


def _literal(value: Any) -> str:
    return f"`{value}`" if isinstance(value, str) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
