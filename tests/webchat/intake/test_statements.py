"""How many statements a send costs: the send path is lean (spec: realtime, Events)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.factories import answer, say
from webchat.principal import Agent, VisitorAccess

pytestmark = pytest.mark.django_db(transaction=True)

CEILING = {"sqlite": 6, "postgresql": 2}


@contextmanager
def recorded_statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What reaches the database but for transaction control, past Django's cursor too."""
    statements: list[str] = []

    def execute(send: Callable[..., Any], sql: Any, *rest: Any, **options: Any) -> Any:
        statements.append(str(sql))
        return send(sql, *rest, **options)

    with monkeypatch.context() as patch:
        if connection.vendor == "postgresql":
            original = psycopg.Cursor.execute
            patch.setattr(
                psycopg.Cursor,
                "execute",
                lambda cursor, *args, **options: execute(
                    original.__get__(cursor), *args, **options
                ),
            )
            yield statements
        else:
            with connection.execute_wrapper(execute):
                yield statements
    control = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
    statements[:] = [sql for sql in statements if not sql.startswith(control)]


def test_a_send_costs_no_more_than_its_ceiling(
    visitor: VisitorAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    engagement_id = say(visitor).conversation_id
    with recorded_statements(monkeypatch) as statements:
        say(visitor, engagement_id=engagement_id, client_message_id="m1")
    assert len(statements) == CEILING[connection.vendor], statements


def test_a_first_send_costs_one_more_at_most(
    visitor: VisitorAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recorded_statements(monkeypatch) as statements:
        say(visitor, client_message_id="m1")
    assert len(statements) <= CEILING[connection.vendor] + 1, statements
    assert any("conversation" in sql for sql in statements)


def test_a_repetition_costs_no_more_than_a_send(
    visitor: VisitorAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(visitor, client_message_id="m1")
    with recorded_statements(monkeypatch) as statements:
        say(visitor, client_message_id="m1")
    assert len(statements) <= CEILING[connection.vendor], statements


def test_a_reply_costs_no_more_than_a_send(
    agent: Agent, visitor: VisitorAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation_id = say(visitor).conversation_id
    with recorded_statements(monkeypatch) as statements:
        answer(agent, conversation_id, client_message_id="a1")
    assert len(statements) <= CEILING[connection.vendor], statements
