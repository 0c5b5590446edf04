"""Ending a connection whose reader takes nothing."""

from typing import Any


def abort(send: Any) -> None:
    """Cut the connection behind an ASGI `send`, without waiting for what is queued.

    ASGI has no word for it. Under uvicorn `send` belongs to the protocol object, and closing its
    transport politely would wait for the deaf reader for ever. Elsewhere nothing happens.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is not None:
        transport.abort()
