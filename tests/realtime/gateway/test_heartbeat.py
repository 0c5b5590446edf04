import asyncio
import statistics
from itertools import pairwise
from unittest.mock import Mock

from realtime.gateway.heartbeat import Heartbeat


def first_delay(interval: float) -> float:
    heartbeat = Heartbeat(Mock(), Mock(), interval=interval, pong_timeout=1)
    heartbeat.stop()
    return heartbeat._ping.when() - asyncio.get_running_loop().time()


async def test_first_ping_is_spread_over_the_second_half_of_the_interval() -> None:
    delays = [first_delay(100) for _ in range(200)]
    assert 49.9 < min(delays) < 55
    assert 95 < max(delays) <= 100
    assert 70 < statistics.mean(delays) < 80


async def test_pings_go_on_at_the_interval_while_they_are_answered() -> None:
    pings: list[float] = []
    loop = asyncio.get_running_loop()
    no_pong = Mock()

    def send() -> None:
        pings.append(loop.time())
        loop.call_soon(heartbeat.receive_pong)

    heartbeat = Heartbeat(send, no_pong, interval=0.04, pong_timeout=0.02)
    await asyncio.sleep(0.15)
    heartbeat.stop()
    assert len(pings) >= 2
    assert all(after - before > 0.035 for before, after in pairwise(pings))
    no_pong.assert_not_called()


async def test_unanswered_ping_calls_once_after_the_timeout() -> None:
    no_pong = Mock()
    heartbeat = Heartbeat(Mock(), no_pong, interval=0.03, pong_timeout=0.01)
    no_pong.side_effect = heartbeat.stop
    await asyncio.sleep(0.1)
    no_pong.assert_called_once_with()


async def test_pong_counts_once_and_only_after_a_ping() -> None:
    heartbeat = Heartbeat(Mock(), Mock(), interval=0.02, pong_timeout=10)
    assert not heartbeat.receive_pong()
    await asyncio.sleep(0.025)
    assert heartbeat.receive_pong()
    assert not heartbeat.receive_pong()
    heartbeat.stop()
