"""The one ASGI application: the widget's calls, everything else over HTTP, and two sockets."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

from django.core.asgi import get_asgi_application

# Django is set up here, before anything that needs its models is imported.
django_application = get_asgi_application()

from webchat.api.widget.app import WidgetApp

from realtime import runtime
from realtime.consumers.agent import AgentConsumer
from realtime.gateway.consumer import GatewayConsumer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

widget = WidgetApp()
agent_sockets = AgentConsumer.as_asgi()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Route by kind and path. The runtime starts here where a server knows no lifespan."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    process = await runtime.start()
    if scope["type"] == "websocket":
        if scope["path"] == "/connection/websocket":
            await GatewayConsumer.as_asgi(gateway=process.gateway)(scope, receive, send)
        elif scope["path"] == "/ws/agent":
            await agent_sockets(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 4404})
    elif widget.serves(scope["path"]):
        await widget(scope, receive, send)
    else:
        await django_application(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    try:
        await runtime.start()
    except Exception as error:  # the server prints it and does not start
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await runtime.stop()
    await send({"type": "lifespan.shutdown.complete"})
