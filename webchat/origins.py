"""Which pages may use a site: the rules of `allowed_origins` (spec: widget contract).

Hosts are compared parsed, lower-cased and IDNA-normalised, never as substrings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}
ANYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Origin:
    """A parsed web origin. `opaque` is the browser's `null`."""

    scheme: str
    host: str
    port: int | None
    opaque: bool = False

    def __str__(self) -> str:
        if self.opaque:
            return "null"
        port = "" if self.port in {None, DEFAULT_PORTS.get(self.scheme)} else f":{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{port}"


def parse(text: str) -> Origin | None:
    """An `Origin` header, or the origin of a `Referer`; None for what is neither."""
    if text == "null":
        return Origin("", "", None, opaque=True)
    try:
        parts = urlsplit(text)
        host, port = normalise_host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not host:
        return None
    return Origin(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme])


def normalise_host(host: str) -> str:
    """Lower case, IDNA's ASCII form, no trailing dot. Raises ValueError for no host name."""
    host = host.lower().rstrip(".")
    return host if host.isascii() else host.encode("idna").decode("ascii")


def allows_any(rules: Sequence[str] | None) -> bool:
    """An empty list and `*` let everybody in."""
    return not rules or ANYWHERE in rules


def is_allowed(origin: Origin | None, rules: Sequence[str] | None) -> bool:
    """Whether a page of this origin may use a site with these rules; None is "unknown"."""
    if allows_any(rules):
        return True
    if origin is None or origin.opaque:
        return False
    return any(_matches(origin, rule) for rule in rules or ())


def check_rule(rule: str) -> str:
    """The rule as it's kept. Raises ValueError, which says what a rule looks like."""
    text = rule.strip().lower()
    if text == ANYWHERE or _parse_rule(text) is not None:
        return text
    raise ValueError("A rule is https://acme.com, *.acme.com, acme.com or localhost:5173.")


@dataclass(frozen=True, slots=True)
class _Rule:
    scheme: str | None
    host: str
    port: int | None
    subdomains: bool = False


def _parse_rule(text: str) -> _Rule | None:
    if text.startswith("*."):
        host = _plain_host(text[2:])
        return _Rule(None, host, None, subdomains=True) if host else None
    if "://" in text:
        origin = parse(text)
        if origin is None or urlsplit(text).path.strip("/"):
            return None
        return _Rule(origin.scheme, origin.host, origin.port)
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        return None
    host = _plain_host(parts.hostname or "")
    if not host or parts.path or parts.query:
        return None
    return _Rule(None, host, port)


def _plain_host(text: str) -> str:
    try:
        host = normalise_host(text)
    except ValueError:
        return ""
    return "" if set(host) & set("*/@? ") else host


def _matches(origin: Origin, text: str) -> bool:
    rule = _parse_rule(text)
    if rule is None:
        return False
    if rule.subdomains:
        return origin.host.endswith(f".{rule.host}")
    return (
        rule.host == origin.host
        and rule.scheme in {None, origin.scheme}
        and rule.port in {None, origin.port}
    )
