"""Bodies: their bound, their shape, their types."""

import json
from typing import Any

import pytest

from tests.webchat.api.widget.browser import NO_ANSWER, Browser, Upload
from webchat.api.widget.request import BODY_LIMIT_BYTES
from webchat.models import Message

pytestmark = pytest.mark.django_db(transaction=True)

KIB = 1024
SEND = "/webchat/messages"


def padded(size: int) -> bytes:
    """A message's body of exactly that many bytes."""
    bare = json.dumps({"content": "x", "pad": ""}).encode()
    return bare.replace(b'"pad": ""', b'"pad": "%s"' % (b"x" * (size - len(bare))))


def test_a_body_of_exactly_the_limit_is_taken(guest: Browser) -> None:
    body = padded(BODY_LIMIT_BYTES)
    assert len(body) == 128 * KIB
    assert guest.post(SEND, body).status == 201


def test_a_declared_length_over_the_limit_is_refused_unread(guest: Browser) -> None:
    upload = Upload([padded(BODY_LIMIT_BYTES + 1)])
    answer = guest.post(SEND, upload=upload, headers={"content-length": str(BODY_LIMIT_BYTES + 1)})
    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
    assert upload.asked == 0
    assert "access-control-allow-origin" in answer.headers


def test_a_call_that_ignores_its_body_refuses_one_over_the_limit(guest: Browser) -> None:
    upload = Upload([padded(BODY_LIMIT_BYTES + 1)])
    headers = {"content-length": str(BODY_LIMIT_BYTES + 1)}
    answer = guest.post("/v1/webchat/bootstrap", upload=upload, headers=headers)
    assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_that_grows_over_the_limit_is_not_read_on(guest: Browser) -> None:
    for declared in (None, "10", "-1", "rubbish"):
        upload = Upload([b"x" * (32 * KIB)] * 1000)
        answer = guest.post(SEND, upload=upload, headers={"content-length": declared})
        assert (answer.status, answer.code) == (413, "PAYLOAD_TOO_LARGE")
        assert upload.asked == 5


def test_a_stranger_is_refused_before_the_body_is_read(browser: Browser) -> None:
    for path in (SEND, "/webchat/typing", "/webchat/seen"):
        upload = Upload([b"{}"])
        assert browser.post(path, upload=upload).status == 401
        assert upload.asked == 0


def test_a_body_in_pieces_is_put_together(guest: Browser) -> None:
    body = json.dumps({"content": "Grüße 👋"}, ensure_ascii=False).encode()
    pieces = [body[place : place + 1] for place in range(len(body))]
    assert guest.post(SEND, upload=Upload(pieces)).status == 201
    assert Message.objects.get().content == "Grüße 👋"


def test_nothing_is_stored_of_a_client_that_leaves_in_the_middle(guest: Browser) -> None:
    upload = Upload([b'{"content": "Hello"}'], leaves=True)
    assert guest.post(SEND, upload=upload) == NO_ANSWER
    assert not Message.objects.exists()


def test_a_refused_body_stores_nothing(guest: Browser) -> None:
    answer = guest.post(SEND, b"[]")
    assert (answer.status, answer.code) == (400, "INVALID_BODY")
    answer = guest.post(SEND, {"content": 7})
    assert (answer.status, answer.code) == (400, "INVALID_ARGUMENT")
    assert answer.details == {"field": "content"}
    assert answer.json["error"]["message"].startswith("content: ")
    assert not Message.objects.exists()


def test_unknown_fields_are_ignored(guest: Browser) -> None:
    assert guest.post(SEND, {"content": "x", "invented_later": {"a": 1}}).status == 201


def test_nulls_of_optional_fields_are_as_good_as_none(guest: Browser) -> None:
    body = {
        "content": "x",
        "engagement_id": None,
        "client_message_id": None,
        "parent_message_id": None,
        "metadata": None,
    }
    assert guest.post(SEND, body).status == 201


@pytest.mark.parametrize(
    "metadata",
    [
        {"deep": json.loads("[" * 150 + "]" * 150)},
        {"large": 10**300, "small": -1e-300, "yes": True, "no": None},
        {"": "", "key with \\u0000 written out": "\\u0000"},
        {"emoji": "👋" * 100},
    ],
)
def test_metadata_may_be_any_json(guest: Browser, metadata: dict[str, Any]) -> None:
    assert guest.post(SEND, {"content": "x", "metadata": metadata}).status == 201
    assert Message.objects.get().metadata == metadata
    assert guest.get(SEND).json["messages"][0]["metadata"] == metadata


def test_the_content_type_does_not_matter(guest: Browser) -> None:
    headers = {"content-type": "text/plain"}
    assert guest.post(SEND, {"content": "x"}, headers=headers).status == 201
