"""The generated files, each with what writes it."""

import json
from collections.abc import Callable
from pathlib import Path

from realtime.management.protocol import events_page, protocol_page, schemas


def _agent_schema() -> str:
    return _as_json(schemas.agent_schema())


def _visitor_schema() -> str:
    return _as_json(schemas.visitor_schema())


FILES: dict[str, Callable[[], str]] = {
    "docs/events.md": events_page.render,
    "docs/protocol.md": protocol_page.render,
    "docs/schemas/agent-events.json": _agent_schema,
    "docs/schemas/visitor-events.json": _visitor_schema,
}


def list_stale(root: Path) -> list[str]:
    """The files below `root` that are missing or differ from what the code says."""
    return [name for name, render in FILES.items() if _read(root / name) != render()]


def write(root: Path, name: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FILES[name](), encoding="utf-8")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _as_json(schema: schemas.Schema) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
