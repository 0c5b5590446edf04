"""Session tokens that nobody should take."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from webchat import signing

OURS: Any = object()


def forge(
    token: str, key: Any = OURS, algorithm: str = "RS256", kid: str | None = None, **changes: Any
) -> str:
    """The token signed anew, by our key unless told otherwise, with some claims changed."""
    ours = signing.ring.signing_key()
    return jwt.encode(
        payload_of(token) | changes,
        ours.private if key is OURS else key,
        algorithm=algorithm,
        headers={"kid": ours.kid if kid is None else kid},
    )


def payload_of(token: str) -> dict[str, Any]:
    payload: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return payload


def forgeries(token: str) -> Iterator[str]:
    """What one can make of a genuine token without our key, or with it for another purpose."""
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    header, payload, signature = token.split(".")
    yield "rubbish"
    yield "a.b.c"
    yield "\x00.\xff.é"
    yield f"{header}.{payload}"
    yield f"{header}.{payload}."
    yield f"{header}.{payload}.{signature[:-4]}AAAA"
    yield f"{header}.{payload[:-4]}AAAA.{signature}"
    yield forge(token, None, "none")
    yield forge(token, "s" * 32, "HS256")
    yield hs256_by_public_key(token)
    yield forge(token, stranger)
    yield forge(token, algorithm="RS512")
    yield forge(token, algorithm="PS256")
    yield forge(token, kid="0123456789abcdef")
    yield forge(token, kid="")
    yield forge(token, aud="karibu:connection")
    yield forge(token, iss="https://other.example")
    yield jwt.encode(payload_of(token), signing.ring.signing_key().private, algorithm="RS256")


def hs256_by_public_key(token: str) -> str:
    """What a verifier that lets the token choose the algorithm takes; PyJWT refuses to make it."""
    header = {"alg": "HS256", "typ": "JWT", "kid": signing.ring.signing_key().kid}
    signed = b".".join(_part(json.dumps(part).encode()) for part in (header, payload_of(token)))
    digest = hmac.new(_public_pem(), signed, hashlib.sha256).digest()
    return b".".join((signed, _part(digest))).decode()


def _public_pem() -> bytes:
    return (
        signing.ring.signing_key()
        .private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def _part(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
