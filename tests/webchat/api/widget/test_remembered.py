from asyncio import sleep

import pytest

from project.errors import NotFound
from webchat.api.widget.remembered import Remembered


class Answers:
    """A query that counts how often it is asked."""

    def __init__(self) -> None:
        self.count = 0
        self.missing = False

    def ask(self) -> int:
        if self.missing:
            raise NotFound
        self.count += 1
        return self.count


@pytest.fixture
def answers() -> Answers:
    return Answers()


async def test_an_answer_is_asked_for_once(answers: Answers) -> None:
    facts: Remembered[str, int] = Remembered(size=9, ttl_s=60)
    assert [await facts.get("key", answers.ask) for _ in range(3)] == [1, 1, 1]
    assert await facts.get("other", answers.ask) == 2


async def test_an_old_answer_is_forgotten(answers: Answers) -> None:
    facts: Remembered[str, int] = Remembered(size=9, ttl_s=0.01)
    assert await facts.get("key", answers.ask) == 1
    await sleep(0.02)
    assert await facts.get("key", answers.ask) == 2


async def test_renewing_asks_at_once(answers: Answers) -> None:
    facts: Remembered[str, int] = Remembered(size=9, ttl_s=60)
    await facts.get("key", answers.ask)
    assert await facts.renew("key", answers.ask) == 2
    assert await facts.get("key", answers.ask) == 2


async def test_a_refusal_is_not_remembered(answers: Answers) -> None:
    facts: Remembered[str, int] = Remembered(size=9, ttl_s=60)
    answers.missing = True
    with pytest.raises(NotFound):
        await facts.get("key", answers.ask)
    answers.missing = False
    assert await facts.get("key", answers.ask) == 1


async def test_a_refusal_ends_what_was_remembered(answers: Answers) -> None:
    facts: Remembered[str, int] = Remembered(size=9, ttl_s=60)
    await facts.get("key", answers.ask)
    answers.missing = True
    for ask in (facts.renew, facts.get):
        with pytest.raises(NotFound):
            await ask("key", answers.ask)


async def test_memory_is_bounded(answers: Answers) -> None:
    facts: Remembered[int, int] = Remembered(size=10, ttl_s=60)
    for key in range(1000):
        await facts.get(key, answers.ask)
    assert len(facts._kept) == 10
