"""Typing and reading over REST."""

from typing import Any

import pytest

from tests.conftest import Published
from tests.events import data_of, visitor_data_of
from tests.factories import say
from tests.webchat.api.agent.caller import Caller, refusal
from webchat.models import Conversation
from webchat.principal import Agent, VisitorAccess

pytestmark = pytest.mark.django_db


class TestTyping:
    def test_is_told(
        self, agent: Agent, caller: Caller, conversation_id: int, published: Published
    ) -> None:
        published.take()
        for state in ("start", "stop"):
            response = caller.tell(f"/conversations/{conversation_id}/typing", {"state": state})
            assert (response.status_code, response.content) == (204, b"")
        started, stopped = published.take()
        assert (started.type, stopped.type) == ("typing.started", "typing.stopped")
        assert data_of(started)["sender_id"] == agent.user_id
        assert visitor_data_of(stopped)["engagement_id"] == conversation_id

    def test_of_a_note_is_not_told_to_the_visitor(
        self, caller: Caller, conversation_id: int, published: Published
    ) -> None:
        published.take()
        body = {"state": "start", "is_note": True}
        assert caller.tell(f"/conversations/{conversation_id}/typing", body).status_code == 204
        [event] = published.take()
        assert visitor_data_of(event) is None

    @pytest.mark.parametrize("body", [{}, {"state": "begin"}, {"state": True}])
    def test_needs_a_state(self, caller: Caller, conversation_id: int, body: Any) -> None:
        response = caller.tell(f"/conversations/{conversation_id}/typing", body)
        assert refusal(response) == (400, "INVALID_ARGUMENT")
        assert response.json()["error"]["details"] == {"field": "state"}


class TestSeen:
    @pytest.mark.parametrize("name", ["message_id", "read_up_to"])
    def test_moves_the_mark_under_either_name(
        self, visitor: VisitorAccess, caller: Caller, conversation_id: int, name: str
    ) -> None:
        newest = say(visitor, "Anybody?").message_id
        response = caller.tell(f"/conversations/{conversation_id}/seen", {name: newest})
        assert (response.status_code, response.content) == (204, b"")
        conversation = Conversation.objects.get()
        assert (conversation.agents_read_up_to, conversation.unread_count) == (newest, 0)

    def test_needs_a_message(self, caller: Caller, conversation_id: int) -> None:
        response = caller.tell(f"/conversations/{conversation_id}/seen", {})
        assert refusal(response) == (400, "INVALID_ARGUMENT")
        assert response.json()["error"]["details"] == {"field": "message_id"}
