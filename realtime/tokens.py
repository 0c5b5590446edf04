"""The visitors' realtime tokens: one to connect, one per channel to subscribe.

HS256 in the shape that Centrifugo reads, so that both of the visitors' transports take the same
ones. Each kind has a key and an audience of its own, hence neither passes for the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils import timezone

ALGORITHM = "HS256"
CONNECTION_AUDIENCE = "karibu:connection"
SUBSCRIPTION_AUDIENCE = "karibu:subscription"


class TokenInvalid(Exception):
    """Not a token of this installation and kind, or of the wrong shape."""


class TokenExpired(Exception):
    """A genuine token whose time is over, or has not come."""


@dataclass(frozen=True, slots=True)
class ConnectionClaims:
    """`user` is the visitor id; times are Unix seconds, and no `expires_at` means never."""

    user: str
    expires_at: int | None
    issued_at: int
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionClaims:
    """`client` binds the token to one connection when set."""

    user: str
    channel: str
    expires_at: int | None
    issued_at: int
    client: str | None = None


def connection_key() -> str:
    """The signing key as ASCII text, which is also how Centrifugo is told of it."""
    return _derive(settings.SECRET_KEY, b"karibu/connection-token")


def subscription_key() -> str:
    """Like `connection_key`, for subscription tokens."""
    return _derive(settings.SECRET_KEY, b"karibu/subscription-token")


def issue_connection_token(visitor_id: str, *, now: datetime, ttl_s: int, session_id: str) -> str:
    claims = {"sub": visitor_id, "aud": CONNECTION_AUDIENCE, "sid": session_id}
    return _sign(claims, connection_key(), now, ttl_s)


def issue_subscription_token(visitor_id: str, channel: str, *, now: datetime, ttl_s: int) -> str:
    claims = {"sub": visitor_id, "aud": SUBSCRIPTION_AUDIENCE, "channel": channel}
    return _sign(claims, subscription_key(), now, ttl_s)


def verify_connection_token(token: str, *, now: datetime) -> ConnectionClaims:
    """Raises TokenInvalid, or TokenExpired for a token that is right but for its time."""
    claims = _verify(token, connection_key(), CONNECTION_AUDIENCE, now, texts=("sid",))
    return ConnectionClaims(
        user=claims["sub"],
        expires_at=claims["exp"],
        issued_at=claims["iat"],
        session_id=claims["sid"],
    )


def verify_subscription_token(token: str, *, now: datetime) -> SubscriptionClaims:
    """Raises TokenInvalid, or TokenExpired for a token that is right but for its time."""
    claims = _verify(token, subscription_key(), SUBSCRIPTION_AUDIENCE, now, texts=("channel",))
    if not isinstance(claims.setdefault("client", None), str | None):
        raise TokenInvalid
    return SubscriptionClaims(
        user=claims["sub"],
        channel=claims["channel"],
        expires_at=claims["exp"],
        issued_at=claims["iat"],
        client=claims["client"],
    )


class SignedTokens:
    """The gateway's verifier (`realtime.gateway.ports.Verifier`) for the tokens issued here."""

    def connection(self, token: str) -> ConnectionClaims:
        return verify_connection_token(token, now=timezone.now())

    def subscription(self, token: str) -> SubscriptionClaims:
        return verify_subscription_token(token, now=timezone.now())


@cache
def _derive(secret: str, label: bytes) -> str:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=label).derive(secret.encode())
    return derived.hex()


def _sign(claims: dict[str, Any], key: str, now: datetime, ttl_s: int) -> str:
    issued_at = int(now.timestamp())
    times = {"iat": issued_at, "exp": issued_at + ttl_s}
    return jwt.encode({**claims, **times}, key, algorithm=ALGORITHM)


def _verify(
    token: str, key: str, audience: str, now: datetime, *, texts: Iterable[str]
) -> dict[str, Any]:
    # Times come last and by hand: a token of another audience is invalid even when it has expired
    # too, while PyJWT looks at the expiry first.
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience,
            options={
                "require": ["sub", "iat", "exp", *texts],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except (jwt.InvalidTokenError, UnicodeEncodeError) as error:  # the latter: a lone surrogate
        raise TokenInvalid from error
    if not all(type(claims[name]) is int for name in ("iat", "exp")) or not all(
        isinstance(claims[name], str) for name in texts
    ):
        raise TokenInvalid
    if claims["exp"] <= now.timestamp():
        raise TokenExpired
    return claims
