"""What is made from the code is current, and nothing of the wire goes without a word."""

from pathlib import Path

import pytest
from django.conf import settings

from realtime.close_codes import CloseCode
from realtime.commands import COMMANDS
from realtime.events import CATALOGUE
from realtime.management.protocol.errors import list_errors
from realtime.management.protocol.files import list_stale

ROOT = Path(settings.BASE_DIR)
EVENTS = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_generated_files_are_current() -> None:
    assert list_stale(ROOT) == []


@pytest.mark.parametrize("event", CATALOGUE)
def test_every_event_is_on_the_page(event: type) -> None:
    assert f"\n## {event.type}\n" in EVENTS  # type: ignore[attr-defined] # an Event
    assert "[[" not in EVENTS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_on_the_page(command: str) -> None:
    assert f"| `{command}` |" in PROTOCOL


@pytest.mark.parametrize("code", CloseCode)
def test_every_close_code_is_on_the_page(code: CloseCode) -> None:
    assert f"| {code.value} | {code.meaning} | {code.client} |" in PROTOCOL
    assert "[[" not in PROTOCOL


def test_every_error_code_is_on_the_page_and_has_one_status() -> None:
    statuses: dict[str, int] = {}
    for error in list_errors():
        assert f"| `{error.code}` | {error.status} |" in PROTOCOL
        assert statuses.setdefault(error.code, error.status) == error.status
        assert error.message.endswith(".")
