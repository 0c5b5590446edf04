"""What a page's launcher asks: cheap, cacheable, and leaving no trace."""

import hashlib

from webchat.api.widget.auth import Gate
from webchat.api.widget.request import Request
from webchat.api.widget.response import JSON, Response, encode
from webchat.api.widget.schemas import Availability, Config, ConfigQuery

MAX_AGE = (b"cache-control", b"max-age=60")


async def get_config(request: Request, gate: Gate) -> Response:
    """A page view that opens no widget makes this call alone, so nothing here writes."""
    query = request.query(ConfigQuery)
    site = await gate.admit_page(request, query.widget_key)
    config = Config(
        name=site.name,
        locale=site.locale,
        appearance=site.appearance,
        availability=Availability(online=await gate.is_online(site)),
        init_challenge="optional",
    )
    body = encode(config)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = (MAX_AGE, (b"etag", tag.encode()))
    if _knows(request.header(b"if-none-match"), tag):
        return Response(304, headers=headers)
    return Response(200, body, (JSON, *headers))


def _knows(header: str, tag: str) -> bool:
    """Whether If-None-Match names the tag; a proxy that compresses makes it a weak one."""
    known = [item.strip().removeprefix("W/") for item in header.split(",")]
    return tag in known or "*" in known
