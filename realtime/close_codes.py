"""Why the server closes an agent's socket, and what the client does about it."""

from enum import IntEnum
from typing import Self


class CloseCode(IntEnum):
    """Each value with its meaning and the client's reaction; docs/protocol.md is made from it."""

    meaning: str
    client: str

    def __new__(cls, code: int, meaning: str, client: str) -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        member.client = client
        return member

    RESTARTING = 1012, "The server restarts.", "Reconnect with jitter, then resume."
    MAXIMUM_AGE = 4000, "The connection has reached its maximum age.", "Reconnect and resume."
    TOO_SLOW = 4008, "The reader was too slow for its events.", "Reconnect and resume."
    BAD_FRAME = 4400, "The frame is not JSON or not a command.", "Stop and report: a bug."
    UNAUTHENTICATED = (
        4401,
        "Not signed in, the token is bad, or no hello within 5 s.",
        "Sign in, then reconnect.",
    )
    FORBIDDEN = (
        4403,
        "The origin is refused, or the membership or session was revoked.",
        "Stop and say so.",
    )
    FRAME_TOO_LARGE = 4413, "The frame is over 128 KiB.", "Stop and report: a bug."
    TOO_MANY_FRAMES = (
        4429,
        "Too many frames.",
        "Reconnect after the seconds that the reason gives.",
    )
