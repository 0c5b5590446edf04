"""What the raw transaction stores, and where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`database` is an address or, for SQLite, a file.

    The payloads are those of one of the product's own messages, so that rows are of its size.
    """

    database: str
    organization_id: int
    site_id: int
    contact_ids: list[int]
    agent_payload: str
    visitor_payload: str
    clients: int

    @property
    def is_postgres(self) -> bool:
        return self.database.startswith("postgres")
