"""The demo's content, read from the TOML files beside this module."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict

from webchat.models import Role

FOLDER = Path(__file__).parent
SHOPS = ("mwanga", "kahawa")

Kind = Literal["v", "a", "n"]
"""A visitor's message, an agent's, an agent's private note."""


class Turn(NamedTuple):
    kind: Kind
    text: str


def _split(line: Any) -> Any:
    return tuple(line.split(": ", 1)) if isinstance(line, str) else line


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(_Content):
    """`key` is the name in the JSON of `manage.py seed_demo`; empty for the others.

    `mailbox` is the e-mail's local part where it is not the first name.
    """

    name: str
    role: Role
    team: str
    key: str = ""
    mailbox: str = ""

    def email(self, domain: str) -> str:
        return f"{self.mailbox or self.name.split()[0].lower()}@{domain}"


class Look(_Content):
    name: str
    locale: str
    title: str
    welcome: str
    color: str


class Story(_Content):
    """One conversation; `{word}` in it is drawn from the shop's words."""

    team: str
    page: str
    turns: tuple[Annotated[Turn, BeforeValidator(_split)], ...]
    locale: str = ""


class Shop(_Content):
    """One organization of the demo and how much history it has."""

    name: str
    domain: str
    order_prefix: str
    conversations: int
    open_conversations: int
    weeks: int
    teams: tuple[str, ...]
    site: Look
    people: tuple[Person, ...]
    words: dict[str, tuple[str, ...]]
    stories: tuple[Story, ...]


class Customers(_Content):
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    user_agents: tuple[str, ...]
    referrers: tuple[str, ...]
    campaigns: tuple[str, ...]
    locales: tuple[str, ...]
    close_reasons: tuple[str, ...]


@cache
def load_shop(name: str) -> Shop:
    return Shop.model_validate(_read(name))


@cache
def load_customers() -> Customers:
    return Customers.model_validate(_read("customers"))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
