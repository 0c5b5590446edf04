from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pytest_django import DjangoAssertNumQueries, Settings

from project.errors import Unauthorized
from tests.webchat.forgery import forge, forgeries
from webchat import signing
from webchat.models import SigningKey
from webchat.signing import REFRESH_GRACE, SessionClaims

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 24, 10, 0, tzinfo=UTC)
CLAIMS = SessionClaims(
    sid=uuid4(),
    visitor_id="v-7c4a9b2e-3d8f-4a1b-9e2f-5d6c8b3a1f2e",
    organization_id=42,
    site_id=7,
    origin="https://acme.com",
    scopes=frozenset({"messages"}),
    expires_at=NOW + timedelta(hours=24),
)


def test_a_token_says_what_it_was_given() -> None:
    assert signing.verify(signing.issue(CLAIMS, now=NOW), now=NOW) == CLAIMS


def test_a_token_is_rs256_with_the_claims_of_the_contract(settings: Settings) -> None:
    token = signing.issue(CLAIMS, now=NOW)
    header = jwt.get_unverified_header(token)
    payload = jwt.decode(token, options={"verify_signature": False})
    assert header == {
        "alg": "RS256",
        "typ": "JWT",
        "kid": SigningKey.objects.get().kid,
    }
    assert payload.pop("jti") != jwt.decode(
        signing.issue(CLAIMS, now=NOW), options={"verify_signature": False}
    ).pop("jti")
    assert payload == {
        "iss": settings.BASE_URL,
        "aud": "karibu:widget",
        "sub": CLAIMS.visitor_id,
        "org": 42,
        "site": 7,
        "sid": str(CLAIMS.sid),
        "origin": "https://acme.com",
        "scopes": ["messages"],
        "iat": int(NOW.timestamp()),
        "exp": int(CLAIMS.expires_at.timestamp()),
    }


def test_a_token_ends_at_its_expiry_but_for_a_grace() -> None:
    token = signing.issue(CLAIMS, now=NOW)
    end = CLAIMS.expires_at
    assert signing.verify(token, now=end - timedelta(seconds=1)) == CLAIMS
    with pytest.raises(Unauthorized):
        signing.verify(token, now=end)
    last = end + REFRESH_GRACE - timedelta(seconds=1)
    assert signing.verify(token, now=last, grace=REFRESH_GRACE) == CLAIMS
    with pytest.raises(Unauthorized):
        signing.verify(token, now=end + REFRESH_GRACE, grace=REFRESH_GRACE)


def test_a_token_may_come_from_a_host_whose_clock_is_ahead() -> None:
    ahead = datetime.now(UTC) + timedelta(minutes=5)
    claims = replace(CLAIMS, expires_at=(ahead + timedelta(hours=1)).replace(microsecond=0))
    assert signing.verify(signing.issue(claims, now=ahead), now=datetime.now(UTC)) == claims


def test_only_rs256_by_a_key_of_ours_is_accepted() -> None:
    genuine = signing.issue(CLAIMS, now=NOW)
    assert signing.read(forge(genuine)) == CLAIMS
    for token in forgeries(genuine):
        with pytest.raises(Unauthorized):
            signing.read(token)


def test_keys_rotate_without_ending_a_token() -> None:
    before = signing.issue(CLAIMS, now=NOW)
    kid = signing.rotate()
    after = signing.issue(CLAIMS, now=NOW)
    assert jwt.get_unverified_header(before)["kid"] != kid
    assert jwt.get_unverified_header(after)["kid"] == kid
    assert signing.read(before) == signing.read(after) == CLAIMS


def test_another_process_learns_a_new_key_when_it_meets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(signing, "LOOK_AGAIN_S", 0)
    signing.issue(CLAIMS, now=NOW)
    other = signing.KeyRing()
    other.load()
    kid = signing.rotate()
    assert other.find(kid) is not None


def test_unknown_keys_make_a_process_look_once_a_second_at_most(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    signing.ring.signing_key()
    with django_assert_num_queries(0):
        assert [signing.ring.find(f"unknown{number}") for number in range(50)] == [None] * 50


def test_every_process_signs_with_a_new_key_within_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = signing.KeyRing()
    first = other.signing_key().kid
    kid = signing.rotate()
    assert other.signing_key().kid == first
    monkeypatch.setattr(signing, "RENEW_S", 0)
    assert other.signing_key().kid == kid


def test_the_first_process_makes_the_first_key() -> None:
    assert not SigningKey.objects.exists()
    kid = signing.ring.signing_key().kid
    assert [key.kid for key in SigningKey.objects.all()] == [kid]
    assert signing.KeyRing().signing_key().kid == kid


def test_private_keys_are_encrypted_at_rest() -> None:
    signing.rotate()
    assert "PRIVATE" not in SigningKey.objects.get().encrypted_private_key


def test_the_public_set_holds_every_key_and_nothing_private() -> None:
    first, second = signing.ring.signing_key().kid, signing.rotate()
    keys = signing.KeyRing().public_jwks()["keys"]
    assert [key["kid"] for key in keys] == [first, second]
    for key in keys:
        assert set(key) == {"kty", "key_ops", "n", "e", "kid", "alg", "use"}
        assert (key["kty"], key["alg"], key["use"], key["key_ops"]) == (
            "RSA",
            "RS256",
            "sig",
            ["verify"],
        )


def test_anybody_can_check_a_token_by_the_public_set(settings: Settings) -> None:
    token = signing.issue(
        replace(CLAIMS, expires_at=datetime.now(UTC) + timedelta(hours=1)), now=datetime.now(UTC)
    )
    key = jwt.PyJWKSet.from_dict(signing.ring.public_jwks())[
        jwt.get_unverified_header(token)["kid"]
    ]
    payload = jwt.decode(
        token, key, algorithms=["RS256"], audience="karibu:widget", issuer=settings.BASE_URL
    )
    assert payload["sub"] == CLAIMS.visitor_id


def test_a_key_is_decoded_once_however_often_the_process_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: list[str] = []
    decrypt = signing._decrypt

    def counting(row: SigningKey) -> RSAPrivateKey:
        decoded.append(row.kid)
        return decrypt(row)

    monkeypatch.setattr(signing, "_decrypt", counting)
    first = signing.rotate()
    for _ in range(3):
        signing.ring.load()
    second = signing.rotate()
    assert decoded == [first, second]
    SigningKey.objects.filter(kid=first).delete()
    signing.ring.load()
    assert signing.ring.find(first) is None
