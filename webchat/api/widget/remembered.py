"""Answers of the database that may be a moment old."""

from collections.abc import Callable, Hashable
from typing import Generic, ParamSpec, TypeVar

from cachetools import TTLCache

from project import database

P = ParamSpec("P")
Key = TypeVar("Key", bound=Hashable)
Fact = TypeVar("Fact")


class Remembered(Generic[Key, Fact]):
    """Keeps each answer for `ttl_s` seconds, on one event loop. Refusals are not kept."""

    def __init__(self, *, size: int, ttl_s: float) -> None:
        self._kept: TTLCache[Key, Fact] = TTLCache(size, ttl_s)

    async def get(
        self, key: Key, query: Callable[P, Fact], *args: P.args, **kwargs: P.kwargs
    ) -> Fact:
        """The answer kept under `key`, or else that of `query`, which is then kept."""
        try:
            return self._kept[key]
        except KeyError:
            return await self.renew(key, query, *args, **kwargs)

    async def renew(
        self, key: Key, query: Callable[P, Fact], *args: P.args, **kwargs: P.kwargs
    ) -> Fact:
        """Ask the database now, whatever is kept; a refusal ends that too."""
        self._kept.pop(key, None)
        fact = self._kept[key] = await database.read(query, *args, **kwargs)
        return fact
