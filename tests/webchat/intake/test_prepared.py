"""The send path's statements are planned once a connection, not once a message."""

import pytest
from django.db import connection

from tests.factories import answer, say
from webchat.principal import Agent, VisitorAccess

pytestmark = pytest.mark.django_db


def test_statements_of_both_sides_are_prepared(agent: Agent, visitor: VisitorAccess) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL prepares statements")
    conversation_id = say(visitor).conversation_id
    answer(agent, conversation_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        prepared = "".join(statement for (statement,) in cursor.fetchall())
    for words in ("'CONTACT', true", "'USER'", "INSERT INTO realtime_storedevent"):
        assert words in prepared
