"""docs/settings.md holds exactly the variables that the code reads, with their defaults."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
PACKAGES = ("admin_ui", "project", "realtime", "webchat")
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
ROW = re.compile(r"^\| `([A-Z0-9_]+)` \| ([^|]+) \| ", re.MULTILINE)


def product_files() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def reads(path: Path) -> Iterator[tuple[str, object]]:
    """Each variable that is read through `env`, with its default; `...` for a computed one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name("env") | ast.Attribute(attr="env")),
                args=[ast.Constant(str() as name), default, *_],
            ) if VARIABLE.fullmatch(name):
                yield name, default.value if isinstance(default, ast.Constant) else ...
            case _:
                pass


READ = {name: default for path in product_files() for name, default in reads(path)}
DOCUMENTED = dict(ROW.findall((ROOT / "docs" / "settings.md").read_text(encoding="utf-8")))


def test_every_variable_that_is_read_is_documented() -> None:
    assert len(READ) > 10
    assert sorted(READ.keys() - DOCUMENTED.keys()) == []


def test_every_documented_variable_is_read() -> None:
    assert sorted(DOCUMENTED.keys() - READ.keys()) == []


@pytest.mark.parametrize(
    ("name", "default"), [(n, d) for n, d in sorted(READ.items()) if d not in {"", ...}]
)
def test_defaults_are_as_documented(name: str, default: object) -> None:
    assert DOCUMENTED[name] == f"`{default}`"


def test_nothing_else_reads_the_environment() -> None:
    allowed = {"project/env.py", "project/asgi.py", "project/celery.py"}
    readers = {
        str(path.relative_to(ROOT))
        for path in product_files()
        if re.search(r"os\.environ|getenv", path.read_text(encoding="utf-8"))
    }
    assert readers - allowed == set()
