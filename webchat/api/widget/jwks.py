"""The public keys by which others can check a visitor's session token."""

import json

from project import database
from webchat import signing
from webchat.api.widget.auth import Gate
from webchat.api.widget.request import Request
from webchat.api.widget.response import JSON, Response

MAX_AGE = (b"cache-control", b"max-age=300")


async def get_keys(request: Request, gate: Gate) -> Response:
    # As a write: an installation without a key gets its first one here.
    keys = await database.write(signing.ring.public_jwks)
    return Response(200, json.dumps(keys).encode(), (JSON, MAX_AGE))
