"""What browsers are told about who may read an answer (spec: widget contract, CORS).

There are no cookies here, so an echoed origin gives a page nothing that its server could not
fetch by itself. Whether a page may use a site is decided by `origin.py`.
"""

from webchat.api.widget.response import Header, Response

ALWAYS: tuple[Header, ...] = (
    (b"vary", b"Origin"),
    (b"x-content-type-options", b"nosniff"),
)
EXPOSE: Header = (b"access-control-expose-headers", b"Retry-After, ETag")
# Each preflight is answered alike, also for paths that only a newer server has: a widget that is
# ahead of its server then reads a 404. `*` covers what monitoring on the host's page adds.
PREFLIGHT = Response(
    204,
    headers=(
        (b"access-control-allow-methods", b"GET, HEAD, POST"),
        (b"access-control-allow-headers", b"Authorization, Content-Type, *"),
        (b"access-control-max-age", b"7200"),
    ),
)


def headers(origin: bytes | None, *, readable: bool) -> tuple[Header, ...]:
    """For a call with this Origin header, byte for byte, or without one."""
    if origin is None or not readable:
        return ALWAYS
    return (*ALWAYS, (b"access-control-allow-origin", origin), EXPOSE)
