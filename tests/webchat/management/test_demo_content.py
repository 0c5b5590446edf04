"""The demo's stories can be told, in every way that a chat may stand."""

import re
from datetime import UTC, datetime
from random import Random

import pytest

from webchat.demo.content import SHOPS, Shop, load_customers, load_shop
from webchat.demo.plan import Chat, plan_history

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALWAYS_KNOWN = {"first", "order", "slug"}


@pytest.fixture(params=SHOPS)
def shop(request: pytest.FixtureRequest) -> Shop:
    return load_shop(request.param)


def plan(shop: Shop, seed: int) -> list[Chat]:
    return plan_history(shop, load_customers(), now=NOW, random=Random(seed))


def test_each_story_belongs_to_a_team_that_somebody_is_in(shop: Shop) -> None:
    assert {story.team for story in shop.stories} <= set(shop.teams)
    assert set(shop.teams) == {person.team for person in shop.people}


def test_each_story_begins_with_the_visitor_and_goes_both_ways(shop: Shop) -> None:
    for story in shop.stories:
        kinds = "".join(turn.kind for turn in story.turns)
        assert re.fullmatch(r"v+n?a[van]*v[van]*", kinds), story


def test_each_word_in_braces_is_known(shop: Shop) -> None:
    known = ALWAYS_KNOWN | set(shop.words)
    for story in shop.stories:
        text = " ".join([story.page, *(turn.text for turn in story.turns)])
        assert set(re.findall(r"\{(\w*)\}", text)) <= known


def test_people_have_mailboxes_of_their_own(shop: Shop) -> None:
    emails = [person.email(shop.domain) for person in shop.people]
    assert len(set(emails)) == len(emails)
    assert sorted(filter(None, (person.key for person in shop.people))) == [
        "admin",
        "agent",
        "supervisor",
    ]


def test_the_same_dice_give_the_same_history(shop: Shop) -> None:
    assert plan(shop, 3) == plan(shop, 3)
    assert plan(shop, 3) != plan(shop, 4)


@pytest.mark.parametrize("seed", range(5))
def test_nobody_is_in_two_chats_at_a_time(shop: Shop, seed: int) -> None:
    chats = plan(shop, seed)
    assert len(chats) == shop.conversations
    assert sum(chat.closed_at is None for chat in chats) == shop.open_conversations
    left: dict[int, datetime | None] = {}
    for chat in chats:
        if id(chat.customer) in left:
            before = left[id(chat.customer)]
            assert before is not None
            assert before < chat.started_at
        left[id(chat.customer)] = chat.closed_at
        assert chat.last_activity_at < NOW
    assert len(left) < len(chats)
