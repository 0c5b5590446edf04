import pytest

from tests.webchat.api.widget.browser import Browser
from webchat.models import Message

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_sent_message_is_stored_and_answered(guest: Browser) -> None:
    answer = guest.post("/webchat/messages", {"content": "Hello", "client_message_id": "c1"})
    assert answer.status == 201
    message = Message.objects.get()
    assert answer.json == {
        "message_id": message.pk,
        "engagement_id": message.conversation_id,
        "created_at": message.created_at.isoformat().replace("+00:00", "Z"),
        "deduped": False,
    }
