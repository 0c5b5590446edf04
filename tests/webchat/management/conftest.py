"""Commands as scripts run them."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from webchat.demo.content import Shop, load_shop
from webchat.management.commands import seed_demo

Seed = Callable[..., dict[str, Any]]


@pytest.fixture
def seed_all(db: None) -> Seed:
    """Run `manage.py seed_demo --json` and return what it printed."""
    return _seed


@pytest.fixture
def seed(db: None, monkeypatch: pytest.MonkeyPatch) -> Seed:
    """The same with a shorter history, where a test does not look at it."""
    monkeypatch.setattr(seed_demo, "load_shop", _load_briefly)
    return _seed


def _seed(**options: Any) -> dict[str, Any]:
    output = StringIO()
    call_command("seed_demo", json=True, stdout=output, **options)
    printed: dict[str, Any] = json.loads(output.getvalue())
    return printed


def _load_briefly(name: str) -> Shop:
    return load_shop(name).model_copy(update={"conversations": 12, "open_conversations": 9})
