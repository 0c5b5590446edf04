"""What was said, by whom and when: the demo's history before it becomes rows.

Nothing is read or written here, and the same `random` gives the same history.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from webchat.demo.content import Customers, Kind, Person, Shop, Story, Turn

State = Literal["unanswered", "waiting", "replied", "closed"]

OPEN_STATES: tuple[State, ...] = (
    "waiting",
    "unanswered",
    "replied",
    "waiting",
    "replied",
    "unanswered",
    "replied",
    "waiting",
)
SECONDS_BEFORE: dict[Kind, tuple[int, int]] = {"v": (15, 150), "a": (25, 210), "n": (20, 80)}
OPENING_HOURS_UTC = (5, 15)
CLOSED_BEFORE = timedelta(hours=3)
REST = timedelta(days=1)


@dataclass(slots=True)
class Customer:
    """`name` and `email` are empty for those who never said; `left_at` is None while here."""

    name: str
    email: str
    verified: bool
    left_at: datetime | None = None


@dataclass(slots=True)
class Line:
    kind: Kind
    text: str
    at: datetime


@dataclass(slots=True)
class Chat:
    """`person` is who answers; None while nobody has taken it. The last `unread` lines are new."""

    story: Story
    lines: list[Line]
    customer: Customer
    person: Person | None
    unread: int
    closed_at: datetime | None = None
    close_reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    user_agent: str = ""

    @property
    def started_at(self) -> datetime:
        return self.lines[0].at

    @property
    def last_activity_at(self) -> datetime:
        return self.closed_at or self.lines[-1].at


def plan_history(shop: Shop, customers: Customers, *, now: datetime, random: Random) -> list[Chat]:
    """The shop's chats, oldest first; no customer has two at a time."""
    moments = sorted(_moments(shop, now, random), key=lambda moment: moment[1])
    crowd = _Crowd(shop, customers, random)
    stories = _reshuffled(shop.stories, random)
    chats = [
        _Teller(shop, customers, crowd, random).tell(next(stories), state, ended_at)
        for state, ended_at in moments
    ]
    return sorted(chats, key=lambda chat: chat.started_at)


def _moments(shop: Shop, now: datetime, random: Random) -> Iterator[tuple[State, datetime]]:
    """How each chat stands, and when its last line was written."""
    for place in range(shop.open_conversations):
        minutes = 2 * 1.19**place + random.random()
        yield OPEN_STATES[place % len(OPEN_STATES)], now - timedelta(minutes=minutes)
    for _ in range(shop.conversations - shop.open_conversations):
        days = shop.weeks * 7 * random.random() ** 1.3
        hour = random.randint(*OPENING_HOURS_UTC)
        ended_at = (now - timedelta(days=days)).replace(hour=hour, minute=random.randrange(60))
        yield "closed", ended_at - timedelta(days=ended_at > now - CLOSED_BEFORE)


def _reshuffled(stories: tuple[Story, ...], random: Random) -> Iterator[Story]:
    """All stories over and over, each round in another order."""
    while True:
        yield from random.sample(stories, len(stories))


class _Crowd:
    """Customers, some of whom come back when they have rested."""

    def __init__(self, shop: Shop, customers: Customers, random: Random) -> None:
        self._known: list[Customer] = []
        self._random = random
        pairs = [(a, b) for a in customers.first_names for b in customers.last_names]
        self._names = iter(random.sample(pairs, shop.conversations))

    def next(self, started_at: datetime) -> Customer:
        rested = [c for c in self._known if c.left_at and c.left_at < started_at - REST]
        if rested and self._random.random() < 0.3:
            return self._random.choice(rested)
        customer = self._newcomer()
        self._known.append(customer)
        return customer

    def _newcomer(self) -> Customer:
        first, last = next(self._names)
        if self._random.random() < 0.12:
            return Customer("", "", verified=False)
        email = f"{first}.{last}@mail.example".lower() if self._random.random() < 0.7 else ""
        verified = bool(email) and self._random.random() < 0.3
        return Customer(f"{first} {last}", email, verified=verified)


class _Teller:
    """Tells a story with a customer, an agent and words of its own."""

    def __init__(self, shop: Shop, customers: Customers, crowd: _Crowd, random: Random) -> None:
        self._shop = shop
        self._customers = customers
        self._crowd = crowd
        self._random = random
        self._words = {key: random.choice(choices) for key, choices in shop.words.items()}
        self._words["order"] = f"{shop.order_prefix}-{random.randrange(18_000, 24_000)}"
        self._words["slug"] = self._words["product"].lower().replace(" ", "-")

    def tell(self, story: Story, state: State, ended_at: datetime) -> Chat:
        turns = _told_so_far(story.turns, state, self._random)
        times = self._times(turns, ended_at)
        customer = self._crowd.next(times[0])
        person = None if state == "unanswered" else self._colleague(story.team)
        chat = Chat(
            story=story,
            lines=[
                Line(turn.kind, self._say(turn.text, customer), at)
                for turn, at in zip(turns, times, strict=True)
            ],
            customer=customer,
            person=person,
            unread=_unread(turns) if state in {"unanswered", "waiting"} else 0,
            metadata=self._metadata(story),
            user_agent=self._random.choice(self._customers.user_agents),
        )
        if state == "closed":
            chat.closed_at = ended_at + timedelta(seconds=self._random.randrange(40, 1200))
            chat.close_reason = self._random.choice(self._customers.close_reasons)
        customer.left_at = chat.closed_at
        return chat

    def _times(self, turns: tuple[Turn, ...], ended_at: datetime) -> list[datetime]:
        at, times = ended_at, [ended_at]
        for turn in reversed(turns[1:]):
            pause = self._random.randint(*SECONDS_BEFORE[turn.kind])
            at -= timedelta(seconds=pause, milliseconds=self._random.randrange(1000))
            times.append(at)
        return times[::-1]

    def _colleague(self, team: str) -> Person:
        return self._random.choice([p for p in self._shop.people if p.team == team])

    def _say(self, text: str, customer: Customer) -> str:
        words = {"first": customer.name.partition(" ")[0], **self._words}
        if not customer.name:
            text = text.replace(", {first}", "").replace(" {first}", "")
        return text.format_map(words)

    def _metadata(self, story: Story) -> dict[str, str]:
        page = story.page.format_map(self._words)
        said = {
            "page_url": f"https://{self._shop.site.name}{page}",
            "referrer": self._random.choice(self._customers.referrers),
            "locale": story.locale or self._random.choice(self._customers.locales),
            "utm_campaign": self._random.choice(self._customers.campaigns),
        }
        return {key: value for key, value in said.items() if value}


def _told_so_far(turns: tuple[Turn, ...], state: State, random: Random) -> tuple[Turn, ...]:
    """As much of a story as has happened where the chat stands like this."""
    opening = _opening_length(turns)
    if state == "closed":
        return turns
    if state == "unanswered":
        return turns[:opening]
    kind: Kind = "v" if state == "waiting" else "a"
    ends = [place for place in range(opening, len(turns)) if turns[place].kind == kind]
    return turns[: random.choice(ends) + 1]


def _opening_length(turns: tuple[Turn, ...]) -> int:
    return next(place for place, turn in enumerate(turns) if turn.kind != "v")


def _unread(turns: tuple[Turn, ...]) -> int:
    """The visitor's lines since an agent last wrote to them."""
    count = 0
    for turn in reversed(turns):
        if turn.kind == "a":
            break
        count += turn.kind == "v"
    return count
