"""The one ASGI application: the widget's calls, everything else over HTTP, and two sockets."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

from django.core.asgi import get_asgi_application

# Django is set up here, before anything that needs its models is imported.
django_application = get_asgi_application()

from realtime import runtime  # noqa: E402
from realtime.consumers.agent import AgentConsumer  # noqa: E402
from realtime.gateway.consumer import GatewayConsumer  # noqa: E402
from webchat.api.widget.app import WidgetApp  # noqa: E402

# Each library types ASGI's messages in a way of its own; between them there is only Any.
widget = WidgetApp()
agent_sockets = AgentConsumer.as_asgi()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Route by kind and path. The runtime starts here where a server knows no lifespan."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    process = await runtime.start()
    if scope["type"] == "websocket":
        if scope["path"] == "/connection/websocket":
            await GatewayConsumer(gateway=process.gateway)(scope, receive, send)
        elif scope["path"] == "/ws/agent":
            await agent_sockets(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 4404})
    elif widget.serves(scope["path"]):
        await widget(scope, receive, send)
    else:
        await django_application(scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    await receive()
    try:
        await runtime.start()
    except Exception as error:  # noqa: BLE001 the server prints it and does not start
        await send({"type": "lifespan.startup.failed", "message": str(error)})
        return
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await runtime.stop()
    await send({"type": "lifespan.shutdown.complete"})
