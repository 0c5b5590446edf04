from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from pytest_django.fixtures import Settings

from realtime import tokens
from realtime.tokens import ConnectionClaims, SubscriptionClaims, TokenExpired, TokenInvalid

NOW = datetime(2026, 3, 1, 12, 0, 0, 700_000, tzinfo=UTC)
ISSUED_AT = int(NOW.timestamp())
CHANNEL = "visitor:v1"
CONNECTION = {
    "sub": "v1",
    "aud": "karibu:connection",
    "iat": ISSUED_AT,
    "exp": ISSUED_AT + 60,
    "sid": "s1",
}
SUBSCRIPTION = {
    "sub": "v1",
    "aud": "karibu:subscription",
    "iat": ISSUED_AT,
    "exp": ISSUED_AT + 60,
    "channel": CHANNEL,
}


def sign(claims: dict[str, Any], key: str, algorithm: str = "HS256") -> str:
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm=algorithm)


def test_connection_token_says_who_and_until_when() -> None:
    token = tokens.issue_connection_token("v1", now=NOW, ttl_s=60, session_id="s1")
    claims = ConnectionClaims("v1", ISSUED_AT + 60, ISSUED_AT, "s1")
    assert tokens.verify_connection_token(token, now=NOW) == claims


def test_subscription_token_says_who_where_and_until_when() -> None:
    token = tokens.issue_subscription_token("v1", CHANNEL, now=NOW, ttl_s=60)
    claims = SubscriptionClaims("v1", CHANNEL, ISSUED_AT + 60, ISSUED_AT)
    assert tokens.verify_subscription_token(token, now=NOW) == claims


def test_subscription_token_may_be_bound_to_one_client() -> None:
    token = sign(SUBSCRIPTION | {"client": "c1"}, tokens.subscription_key())
    assert tokens.verify_subscription_token(token, now=NOW).client == "c1"


@pytest.mark.parametrize(("after", "expired"), [(59.2, False), (59.3, True), (3600, True)])
def test_token_ends_at_its_second(after: float, expired: bool) -> None:
    connection = tokens.issue_connection_token("v1", now=NOW, ttl_s=60, session_id="s1")
    subscription = tokens.issue_subscription_token("v1", CHANNEL, now=NOW, ttl_s=60)
    now = NOW + timedelta(seconds=after)
    for verify, token in (
        (tokens.verify_connection_token, connection),
        (tokens.verify_subscription_token, subscription),
    ):
        if expired:
            with pytest.raises(TokenExpired):
                verify(token, now=now)
        else:
            assert verify(token, now=now).user == "v1"


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        {"aud": "karibu:subscription"},
        {"aud": None},
        {"sub": None},
        {"sub": 5},
        {"iat": None},
        {"iat": "1"},
        {"exp": None},
        {"exp": 1.5},
        {"exp": True},
        {"sid": None},
        {"sid": 5},
    ],
    ids=str,
)
def test_wrong_connection_token_is_invalid_whether_or_not_it_has_expired(
    change: dict[str, Any], late: bool
) -> None:
    token = sign(CONNECTION | change, tokens.connection_key())
    with pytest.raises(TokenInvalid):
        tokens.verify_connection_token(token, now=NOW + timedelta(days=late))


@pytest.mark.parametrize(
    "change",
    [{"aud": "karibu:connection"}, {"channel": None}, {"channel": 5}, {"sub": 5}, {"client": 5}],
    ids=str,
)
def test_wrong_subscription_token_is_invalid(change: dict[str, Any]) -> None:
    token = sign(SUBSCRIPTION | change, tokens.subscription_key())
    with pytest.raises(TokenInvalid):
        tokens.verify_subscription_token(token, now=NOW)


def test_neither_kind_passes_for_the_other() -> None:
    connection = tokens.issue_connection_token("v1", now=NOW, ttl_s=60, session_id="s1")
    subscription = tokens.issue_subscription_token("v1", CHANNEL, now=NOW, ttl_s=60)
    with pytest.raises(TokenInvalid):
        tokens.verify_subscription_token(connection, now=NOW)
    with pytest.raises(TokenInvalid):
        tokens.verify_connection_token(subscription, now=NOW)
    assert tokens.connection_key() != tokens.subscription_key()


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\udc80", "é.é.é"], ids=ascii)
def test_nonsense_is_invalid(token: str) -> None:
    with pytest.raises(TokenInvalid):
        tokens.verify_connection_token(token, now=NOW)
    with pytest.raises(TokenInvalid):
        tokens.verify_subscription_token(token, now=NOW)


def test_other_algorithms_are_invalid() -> None:
    for token in (
        sign(CONNECTION, tokens.connection_key(), "HS512"),
        sign(CONNECTION, "", "none"),
    ):
        with pytest.raises(TokenInvalid):
            tokens.verify_connection_token(token, now=NOW)


def test_another_installation_has_other_keys(settings: Settings) -> None:
    token = tokens.issue_connection_token("v1", now=NOW, ttl_s=60, session_id="s1")
    settings.SECRET_KEY = "another installation's secret"
    with pytest.raises(TokenInvalid):
        tokens.verify_connection_token(token, now=NOW)
