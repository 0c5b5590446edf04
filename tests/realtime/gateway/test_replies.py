import json

import pytest

from realtime.gateway.ports import Publication, StreamPosition
from realtime.gateway.replies import publication_push, subscribed

TEXT = "olá \u2028 \U0001f44b"


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 2])
def test_publication_is_one_line_and_its_size_counts_bytes(
    ascii_only: bool, indent: int | None
) -> None:
    data = json.dumps({"text": TEXT}, ensure_ascii=ascii_only, indent=indent).encode()
    message = publication_push("visitor:v1", Publication(7, data, "e"))
    pub = {"data": {"text": TEXT}, "offset": 7}
    assert json.loads(message.text) == {"push": {"channel": "visitor:v1", "pub": pub}}
    assert "\n" not in message.text
    assert message.size == len(message.text.encode())


@pytest.mark.parametrize(
    ("publication", "extra"),
    [
        (Publication(0, b"1"), {}),
        (Publication(1, b"1"), {"offset": 1}),
        (Publication(1, b"1", "e"), {"offset": 1, "epoch": "e"}),
        (Publication(2, b"1", "e"), {"offset": 2}),
    ],
)
def test_publication_names_offset_and_epoch_as_centrifugo_does(
    publication: Publication, extra: dict[str, object]
) -> None:
    push = json.loads(publication_push("c", publication).text)["push"]
    assert push == {"channel": "c", "pub": {"data": 1} | extra}


def test_recovered_publications_never_name_the_epoch() -> None:
    position = StreamPosition(0, "e")
    publications = [Publication(1, TEXT.encode().join([b'"', b'"']), "e")]
    message = subscribed(1, position, None, recovering=True, recovered=publications)
    result = json.loads(message.text)["subscribe"]
    assert result["publications"] == [{"data": TEXT, "offset": 1}]
    assert message.size == len(message.text.encode())


def test_stream_without_anything_is_an_answer_without_zero_values() -> None:
    message = subscribed(1, StreamPosition(0, ""), None, recovering=False, recovered=None)
    assert json.loads(message.text) == {
        "id": 1,
        "subscribe": {"recoverable": True, "positioned": True},
    }
