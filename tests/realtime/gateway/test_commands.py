import pytest

from realtime.gateway.codes import Close, ConnectionRefused
from realtime.gateway.commands import (
    Command,
    Connect,
    Pong,
    Publish,
    Read,
    Refresh,
    Rpc,
    Send,
    SubRefresh,
    Subscribe,
    Unsubscribe,
    parse_frame,
)

SUBSCRIBE = Subscribe(
    id=2,
    channel="visitor:a",
    token="",
    recover=False,
    offset=0,
    epoch="",
    kind=0,
    filtered=False,
    reject_unrecovered=False,
)


@pytest.mark.parametrize(
    ("frame", "command"),
    [
        ('{"id":1,"connect":{"token":"t","name":"js","data":{"a":1},"subs":{}}}', Connect(1, "t")),
        ('{"id":1,"connect":{}}', Connect(1, "")),
        ('{"id":4294967295,"connect":{}}', Connect(4294967295, "")),
        ('{"id":2,"subscribe":{"channel":"visitor:a"}}', SUBSCRIBE),
        ('{"id":2,"subscribe":{"channel":"visitor:a","token":null,"delta":"fossil"}}', SUBSCRIBE),
        (
            """{"id":2,"subscribe":{"channel":"visitor:a","token":"t","recover":true,"offset":7,
            "epoch":"e","flag":3,"type":1,"tf":{"op":""},"positioned":true,"data":[]}}""".replace(
                "\n", ""
            ),
            Subscribe(
                id=2,
                channel="visitor:a",
                token="t",
                recover=True,
                offset=7,
                epoch="e",
                kind=1,
                filtered=True,
                reject_unrecovered=True,
            ),
        ),
        ('{"id":3,"unsubscribe":{"channel":"c"}}', Unsubscribe(3, "c")),
        ('{"id":3,"refresh":{"token":"t"}}', Refresh(3, "t")),
        ('{"id":3,"sub_refresh":{"channel":"c","token":"t"}}', SubRefresh(3, "c", "t")),
        ('{"id":3,"publish":{"channel":"c","data":{"a":1}}}', Publish(3, "c", {"a": 1})),
        ('{"id":3,"publish":{"channel":"c"}}', Publish(3, "c", None)),
        ('{"id":3,"presence":{"channel":"c"}}', Read(3, "c")),
        ('{"id":3,"presence_stats":{"channel":"c"}}', Read(3, "c")),
        ('{"id":3,"history":{"channel":"c","limit":-1,"since":{"offset":1}}}', Read(3, "c")),
        ('{"id":3,"rpc":{"method":"m"}}', Rpc(3)),
        ('{"send":{"data":{}}}', Send()),
        ('{"id":3,"send":{}}', Send()),
        ("{}", Pong()),
        (' \t{"id":3,"rpc":{}}', Rpc(3)),
        ('{"id":3,"rpc":{}}\r', Rpc(3)),
        ('{"id":3,"rpc":{}} what follows', Rpc(3)),
        ('{"id":3,"rpc":{}}{"id":4,"rpc":{}}', Rpc(3)),
        ('{"id":3,"rpc":{}}\n', Rpc(3)),
    ],
)
def test_frame_with_one_command(frame: str, command: Command) -> None:
    assert list(parse_frame(frame)) == [command]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_frame_with_several_commands(newline: str, end: str) -> None:
    frame = newline.join(['{"id":1,"connect":{}}', "{}", '{"id":3,"rpc":{}}']) + end
    assert list(parse_frame(frame)) == [Connect(1, ""), Pong(), Rpc(3)]


@pytest.mark.parametrize(
    "frame",
    [
        "",
        " ",
        "\n",
        "\r\n",
        "{",
        "nonsense",
        "[]",
        "null",
        "5",
        '"{}"',
        "[" * 60_000,
        '{"id":' + "9" * 5_000 + ',"rpc":{}}',
        '{"id":3}',
        '{"id":3,"ping":{}}',
        '{"id":3,"unknown":{}}',
        '{"id":3,"rpc":null}',
        '{"id":3,"rpc":"x"}',
        '{"rpc":{}}',
        '{"id":0,"rpc":{}}',
        '{"id":-1,"rpc":{}}',
        '{"id":1.5,"rpc":{}}',
        '{"id":1e3,"rpc":{}}',
        '{"id":"1","rpc":{}}',
        '{"id":true,"rpc":{}}',
        '{"id":4294967296,"rpc":{}}',
        '{"id":3,"connect":{"token":5}}',
        '{"id":3,"subscribe":{}}',
        '{"id":3,"subscribe":{"channel":""}}',
        '{"id":3,"subscribe":{"channel":5}}',
        '{"id":3,"subscribe":{"channel":"c","offset":-1}}',
        '{"id":3,"subscribe":{"channel":"c","offset":18446744073709551616}}',
        '{"id":3,"subscribe":{"channel":"c","recover":1}}',
        '{"id":3,"subscribe":{"channel":"c","delta":"other"}}',
        '{"id":3,"unsubscribe":{}}',
        '{"id":3,"sub_refresh":{"token":"t"}}',
        '{"id":3,"publish":{"data":{}}}',
        '{"id":3,"presence":{}}',
        '{"id":3,"presence_stats":{}}',
        '{"id":3,"history":{}}',
    ],
)
def test_frame_that_no_client_sends(frame: str) -> None:
    with pytest.raises(ConnectionRefused) as refused:
        list(parse_frame(frame))
    assert refused.value.close is Close.BAD_REQUEST


@pytest.mark.parametrize("bad", ["", "[]", "{"])
def test_bad_line_raises_when_its_turn_comes(bad: str) -> None:
    commands = parse_frame('{"id":1,"rpc":{}}\n' + bad + '\n{"id":2,"rpc":{}}')
    assert next(commands) == Rpc(1)
    with pytest.raises(ConnectionRefused):
        next(commands)


def test_blank_line_at_the_start_is_refused_before_anything_else() -> None:
    with pytest.raises(ConnectionRefused):
        next(parse_frame('\n{"id":1,"rpc":{}}'))
