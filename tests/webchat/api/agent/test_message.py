"""Messages and notes over REST."""

import json
from typing import Any

import pytest

from realtime.log import read
from tests.factories import answer, say
from tests.webchat.api.agent.caller import Caller, refusal
from webchat.models import Conversation, Message
from webchat.principal import Agent, VisitorAccess
from webchat.queries.message import to_shape, with_senders

pytestmark = pytest.mark.django_db


def stored() -> list[Any]:
    """Every message as REST gives it, the oldest first."""
    rows = with_senders(Message.objects.order_by("pk"))
    return [json.loads(to_shape(row).model_dump_json()) for row in rows]


@pytest.fixture
def path(conversation_id: int) -> str:
    return f"/conversations/{conversation_id}/messages"


class TestList:
    def test_is_oldest_first_notes_included(
        self, agent: Agent, visitor: VisitorAccess, caller: Caller, conversation_id: int, path: str
    ) -> None:
        answer(agent, conversation_id, "Look at this", is_public=False)
        say(visitor, "Hello?", client_message_id="c1", metadata={"page": "/"})
        assert caller.ask(path).json() == {
            "messages": stored(),
            "has_more": False,
            "seq": 4,
            "epoch": read.get_epoch(),
        }
        assert [message["is_public"] for message in stored()] == [True, False, True]

    def test_goes_back_in_pages(self, visitor: VisitorAccess, caller: Caller, path: str) -> None:
        for number in range(4):
            say(visitor, str(number))
        newest = caller.ask(path, limit=2).json()
        older = caller.ask(path, limit=2, before=newest["messages"][0]["id"]).json()
        oldest = caller.ask(path, limit=2, before=older["messages"][0]["id"]).json()
        texts = [[m["content"] for m in page["messages"]] for page in (oldest, older, newest)]
        assert texts == [["Hello"], ["0", "1"], ["2", "3"]]
        assert [page["has_more"] for page in (oldest, older, newest)] == [False, True, True]

    def test_is_empty_before_the_first(self, caller: Caller, path: str) -> None:
        body = caller.ask(path, before=0).json()
        assert (body["messages"], body["has_more"]) == ([], False)

    @pytest.mark.parametrize("count", [1, 3])
    def test_costs_the_same_queries_for_any_number_of_rows(
        self,
        visitor: VisitorAccess,
        caller: Caller,
        path: str,
        count: int,
        django_assert_num_queries: Any,
    ) -> None:
        for _ in range(count):
            say(visitor)
        read.get_epoch()  # it is made on first use
        with django_assert_num_queries(6):  # token, restricted sites, head, epoch, visibility, rows
            caller.ask(path)


class TestSend:
    def test_answers_as_the_widget_does_and_with_the_message(
        self, agent: Agent, caller: Caller, conversation_id: int, path: str
    ) -> None:
        response = caller.tell(path, {"content": "Good day", "client_message_id": "c1"})
        message = stored()[-1]
        assert response.status_code == 201
        assert response.json() == {
            "message_id": message["id"],
            "engagement_id": conversation_id,
            "created_at": message["created_at"],
            "deduped": False,
            "message": message,
        }
        assert (message["content"], message["sender_user_id"]) == ("Good day", agent.user_id)

    def test_again_is_the_same_message(self, caller: Caller, path: str) -> None:
        body = {"content": "Good day", "client_message_id": "c1"}
        first, second = (caller.tell(path, body) for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 201)
        assert second.json() == first.json() | {"deduped": True}
        assert len(stored()) == 2

    def test_takes_a_note_and_a_parent(self, caller: Caller, path: str) -> None:
        parent = stored()[0]["id"]
        body = {"content": "Careful", "is_public": False, "parent_message_id": parent}
        message = caller.tell(path, body).json()["message"]
        assert (message["is_public"], message["parent_message_id"]) == (False, parent)

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            ("", "EMPTY_CONTENT"),
            (" \n\t ", "EMPTY_CONTENT"),
            ("x" * 10_001, "CONTENT_TOO_LONG"),
            ("👍" * 10_001, "CONTENT_TOO_LONG"),
        ],
    )
    def test_refuses_nothing_and_too_much(
        self, caller: Caller, path: str, content: str, code: str
    ) -> None:
        assert refusal(caller.tell(path, {"content": content})) == (400, code)

    def test_takes_ten_thousand_code_points_escaped(self, caller: Caller, path: str) -> None:
        response = caller.tell(path, json.dumps({"content": "é" * 10_000}).encode())
        assert response.status_code == 201

    def test_keeps_text_as_it_is(self, caller: Caller, path: str) -> None:
        text = "<b>1 & 2</b>\r\n\u202e 👩‍👩‍👧 \u0001 \\u0000"
        assert caller.tell(path, {"content": text}).json()["message"]["content"] == text

    def test_an_unknown_parent_is_not_found(self, caller: Caller, path: str) -> None:
        response = caller.tell(path, {"content": "x", "parent_message_id": 2**63 - 1})
        assert refusal(response) == (404, "NOT_FOUND")
        assert response.json()["error"]["details"] == {"field": "parent_message_id"}

    def test_writing_to_a_closed_one_reopens_it(
        self, caller: Caller, conversation_id: int, path: str
    ) -> None:
        caller.tell(f"/conversations/{conversation_id}/close")
        assert caller.tell(path, {"content": "One more thing"}).status_code == 201
        assert Conversation.objects.get().status == "open"

    def test_writing_to_a_superseded_one_names_the_open_one(
        self, visitor: VisitorAccess, caller: Caller, conversation_id: int, path: str
    ) -> None:
        caller.tell(f"/conversations/{conversation_id}/close")
        newer = say(visitor, "Me again").conversation_id
        response = caller.tell(path, {"content": "One more thing"})
        assert refusal(response) == (409, "CONVERSATION_SUPERSEDED")
        assert response.json()["error"]["details"] == {"conversation_id": newer}
