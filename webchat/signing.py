"""Session tokens of visitors: RS256, by keys that rotate without logging anybody out."""

import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from jwt.algorithms import RSAAlgorithm

from project.errors import Unauthorized
from webchat.models import SigningKey

AUDIENCE = "karibu:widget"
REFRESH_GRACE = timedelta(hours=24)
RENEW_S = 60
LOOK_AGAIN_S = 1


@dataclass(frozen=True, slots=True)
class SessionClaims:
    """What a genuine token says; whether its session still stands is in the database."""

    sid: UUID
    visitor_id: str
    organization_id: int
    site_id: int
    origin: str
    scopes: frozenset[str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Key:
    kid: str
    private: rsa.RSAPrivateKey


class KeyRing:
    """The installation's keys as this process knows them.

    It looks again after a minute, so that every process soon signs with a key that another one
    made, and at once for an unknown `kid`, but no oftener than once a second, whatever is sent.
    """

    def __init__(self) -> None:
        self._keys: dict[str, _Key] = {}
        self._newest: _Key | None = None
        self._loaded_at = -math.inf
        self._lock = Lock()

    def signing_key(self) -> _Key:
        """The newest key, made by the first process that needs one."""
        self._renew(RENEW_S)
        if self._newest is None:
            rotate()
            self.load()
        if self._newest is None:
            raise RuntimeError("No signing key could be made.")
        return self._newest

    def find(self, kid: str) -> _Key | None:
        if kid not in self._keys:
            self._renew(LOOK_AGAIN_S)
        return self._keys.get(kid)

    def load(self) -> None:
        """Read all keys; a database query."""
        self._renew(0)

    def public_jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The JSON Web Key Set at /.well-known/jwks.json, at most a second old."""
        self.signing_key()
        self._renew(LOOK_AGAIN_S)
        return {
            "keys": [
                {
                    **RSAAlgorithm.to_jwk(key.private.public_key(), as_dict=True),
                    "kid": key.kid,
                    "alg": "RS256",
                    "use": "sig",
                }
                for key in self._keys.values()
            ]
        }

    def _renew(self, older_than_s: float) -> None:
        with self._lock:
            if time.monotonic() - self._loaded_at < older_than_s:
                return
            rows = list(SigningKey.objects.order_by("created_at", "kid"))
            # A key never changes, and decoding one holds the interpreter for 28 ms.
            self._keys = {
                row.kid: self._keys.get(row.kid) or _Key(row.kid, _decrypt(row)) for row in rows
            }
            self._newest = self._keys[rows[-1].kid] if rows else None
            self._loaded_at = time.monotonic()


ring = KeyRing()


def rotate() -> str:
    """Add a key, which signs from now on; the older ones go on verifying. Returns its id."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    kid = secrets.token_hex(8)
    SigningKey.objects.create(
        kid=kid,
        encrypted_private_key=_fernet().encrypt(pem).decode(),
        created_at=datetime.now().astimezone(),
    )
    ring.load()
    return kid


def issue(claims: SessionClaims, *, now: datetime) -> str:
    """A signed token. `claims.expires_at` is rounded down to the second."""
    key = ring.signing_key()
    payload = {
        "iss": settings.BASE_URL,
        "aud": AUDIENCE,
        "sub": claims.visitor_id,
        "org": claims.organization_id,
        "site": claims.site_id,
        "sid": str(claims.sid),
        "origin": claims.origin,
        "scopes": sorted(claims.scopes),
        "iat": int(now.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
        "jti": uuid4().hex,
    }
    return jwt.encode(payload, key.private, algorithm="RS256", headers={"kid": key.kid})


def verify(token: str, *, now: datetime, grace: timedelta = timedelta(0)) -> SessionClaims:
    """`read` and `check_time`. Raises Unauthorized."""
    claims = read(token)
    check_time(claims, now=now, grace=grace)
    return claims


def check_time(claims: SessionClaims, *, now: datetime, grace: timedelta = timedelta(0)) -> None:
    """Raises Unauthorized when the token expired more than `grace` ago."""
    if claims.expires_at + grace <= now:
        raise Unauthorized("The session token has expired. Refresh it, or start a new session.")


def read(token: str) -> SessionClaims:
    """What a genuine token says, whether or not it has expired.

    Checks signature, audience and issuer; Unauthorized says no more than that it is not ours.
    Only RS256 is accepted: the algorithm is ours, never the token's. May ask the database.
    """
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = ring.find(kid) if isinstance(kid, str) else None
        if key is None:
            raise Unauthorized
        payload = jwt.decode(
            token,
            key.private.public_key(),
            algorithms=["RS256"],
            audience=AUDIENCE,
            issuer=settings.BASE_URL,
            # Times are the caller's business; `iat` is no use between hosts whose clocks differ.
            options={
                "require": ["exp", "iat", "sub", "sid"],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidTokenError:
        raise Unauthorized from None
    return _claims(payload)


def _claims(payload: Mapping[str, Any]) -> SessionClaims:
    return SessionClaims(
        sid=UUID(payload["sid"]),
        visitor_id=payload["sub"],
        organization_id=payload["org"],
        site_id=payload["site"],
        origin=payload["origin"],
        scopes=frozenset(payload["scopes"]),
        expires_at=datetime.fromtimestamp(payload["exp"]).astimezone(),
    )


def _decrypt(row: SigningKey) -> rsa.RSAPrivateKey:
    pem = _fernet().decrypt(row.encrypted_private_key)
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"Signing key {row.kid} is no RSA key.")
    return key


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])
