"""Which pages may use a site: the rules of `allowed_origins` (spec: widget contract).

Hosts are compared parsed, lower-cased and IDNA-normalised, never as substrings.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

import idna

DEFAULT_PORTS = {"http": 80, "https": 443}
ANYWHERE = "*"
NO_HOST = re.compile(r"[\s*/@\\?#%<>^|]")
LONGEST_HOST = 253


@dataclass(frozen=True, slots=True)
class Origin:
    """A parsed web origin. `opaque` is the browser's `null`, whose empty host is on no list."""

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
    parts = _split(text)
    if parts is None or parts.scheme not in DEFAULT_PORTS:
        return None
    host = _host_of(parts)
    port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    return Origin(parts.scheme, host, port) if host else None


def normalise_host(host: str) -> str:
    """Lower case, the ASCII form that browsers use, no trailing dot. Raises ValueError."""
    host = host.lower().removesuffix(".")
    return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")


def allows_any(rules: Sequence[str] | None) -> bool:
    """An empty list and `*` let everybody in."""
    return not rules or ANYWHERE in rules


def is_allowed(origin: Origin | None, rules: Sequence[str] | None) -> bool:
    """Whether a page of this origin may use a site with these rules; None is "unknown"."""
    if allows_any(rules):
        return True
    return origin is not None and any(_matches(origin, rule) for rule in rules or ())


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


@lru_cache(maxsize=10_000)
def _parse_rule(text: str) -> _Rule | None:
    if text.startswith("*."):
        parts = _split(f"//{text[2:]}")
        if parts is None or parts.port is not None or not _is_bare(parts):
            return None
        host = _host_of(parts)
        return _Rule(None, host, None, subdomains=True) if host else None
    if "://" in text:
        origin, parts = parse(text), _split(text)
        if origin is None or parts is None or not _is_bare(parts):
            return None
        return _Rule(origin.scheme, origin.host, origin.port)
    parts = _split(f"//{text}")
    if parts is None or not _is_bare(parts):
        return None
    host = _host_of(parts)
    return _Rule(None, host, parts.port) if host else None


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 raises ValueError for what is no port
    except ValueError:
        return None
    return parts


def _is_bare(parts: SplitResult) -> bool:
    return not (parts.path.strip("/") or parts.query or parts.fragment)


def _host_of(parts: SplitResult) -> str:
    """Empty where it has none, or one that no browser would say."""
    if NO_HOST.search(parts.netloc):
        return ""
    try:
        host = normalise_host(parts.hostname or "")
    except ValueError:
        return ""
    return host if len(host) <= LONGEST_HOST and not host.startswith(".") else ""


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
