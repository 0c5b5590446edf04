"""What becomes of each token: accepted, an error that the client may mend, or the end.

The outcomes are Centrifugo's (internal/client/handler.go) and differ on purpose: a client takes an
error reply to a refresh as final, but comes back by itself after a close 3005 or 3006.
"""

from realtime.gateway import namespace
from realtime.gateway.codes import Close, CommandRefused, ConnectionRefused, Error
from realtime.gateway.commands import Connect, Refresh, SubRefresh, Subscribe
from realtime.gateway.ports import Verifier
from realtime.tokens import ConnectionClaims, SubscriptionClaims, TokenExpired, TokenInvalid


def admit_connection(verifier: Verifier, command: Connect) -> ConnectionClaims:
    if not command.token:
        raise ConnectionRefused(Close.BAD_REQUEST)
    try:
        claims = verifier.connection(command.token)
    except TokenExpired as error:
        raise CommandRefused(Error.TOKEN_EXPIRED) from error
    except TokenInvalid as error:
        raise ConnectionRefused(Close.INVALID_TOKEN) from error
    if not claims.user:
        raise ConnectionRefused(Close.PERMISSION_DENIED)
    return claims


def admit_refresh(verifier: Verifier, command: Refresh, user: str) -> ConnectionClaims:
    if not command.token:
        raise ConnectionRefused(Close.BAD_REQUEST)
    try:
        claims = verifier.connection(command.token)
    except TokenExpired as error:
        raise ConnectionRefused(Close.EXPIRED) from error
    except TokenInvalid as error:
        raise ConnectionRefused(Close.INVALID_TOKEN) from error
    if claims.user != user:
        raise ConnectionRefused(Close.INVALID_TOKEN)
    return claims


def admit_subscription(
    verifier: Verifier, command: Subscribe, user: str, client: str
) -> SubscriptionClaims:
    namespace.check_subscribe(command)
    try:
        claims = verifier.subscription(command.token)
    except TokenExpired as error:
        raise CommandRefused(Error.TOKEN_EXPIRED) from error
    except TokenInvalid as error:
        raise CommandRefused(Error.PERMISSION_DENIED) from error
    _check_owner(claims, command.channel, user, client)
    return claims


def admit_sub_refresh(
    verifier: Verifier, command: SubRefresh, user: str, client: str
) -> SubscriptionClaims:
    if not command.token:
        raise CommandRefused(Error.BAD_REQUEST)
    try:
        claims = verifier.subscription(command.token)
    except TokenExpired as error:
        raise ConnectionRefused(Close.SUBSCRIPTION_EXPIRED) from error
    except TokenInvalid as error:
        raise ConnectionRefused(Close.INVALID_TOKEN) from error
    _check_owner(claims, command.channel, user, client)
    return claims


def _check_owner(claims: SubscriptionClaims, channel: str, user: str, client: str) -> None:
    """A genuine token for something else is final for the whole client."""
    if claims.channel != channel or claims.user != user or claims.client not in (None, client):
        raise ConnectionRefused(Close.INVALID_TOKEN)
