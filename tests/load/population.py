"""Who takes part in a benchmark, as its load generator knows them."""

from dataclasses import asdict, dataclass
from typing import Any, Self

ORIGIN = "https://shop.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A visitor's way to the channel `visitor:{visitor_id}`."""

    visitor_id: str
    connection_token: str
    subscription_token: str

    @property
    def channel(self) -> str:
        return f"visitor:{self.visitor_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor(Listener):
    """A visitor with a session and an open conversation."""

    contact_id: int
    conversation_id: int
    session_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """One organization with one site. `agents` are API tokens; `idlers` have never written."""

    organization_id: int
    site_id: int
    agents: list[str]
    visitors: list[Visitor]
    idlers: list[Listener]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        visitors = [Visitor(**visitor) for visitor in fields["visitors"]]
        idlers = [Listener(**idler) for idler in fields["idlers"]]
        return cls(**{**fields, "visitors": visitors, "idlers": idlers})
