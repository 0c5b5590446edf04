"""`/ws/agent`: from handshake to farewell."""

import asyncio
import json
import random
from functools import partial
from typing import Any
from uuid import uuid4

import structlog
from channels.consumer import AsyncConsumer
from django.conf import settings
from django.http import parse_cookie
from django.utils import timezone
from pydantic import ValidationError

from project import database
from project.errors import AppError, InvalidArgument
from realtime import runtime
from realtime.abort import abort
from realtime.close_codes import CloseCode
from realtime.commands import COMMANDS, Frame, Hello
from realtime.consumers.handlers import HANDLERS, UnknownCommand
from realtime.consumers.limits import FrameBudget
from realtime.consumers.resume import catch_up
from realtime.hub.hub import HEARTBEAT_S
from realtime.hub.organization import OrganizationHub
from realtime.hub.socket import AgentSocket
from realtime.log import read
from webchat.principal import Agent
from webchat.queries import agent as agents

log = structlog.stdlib.get_logger(__name__)

HELLO_S = 5
FRAME_BYTES = 128 * 1024
MAXIMUM_AGE_S = 12 * 3600
CLOSE_DEADLINE_S = 3


class Refused(Exception):
    """Ends the connection with a close code, before or instead of anything else."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        self.code = code
        self.reason = reason


class Gone(Exception):
    """The client has left."""


class AgentConsumer(AsyncConsumer):
    """One socket. Cleanup is in `finally`: a server may end the application without a disconnect.

    Channels' own dispatch is bypassed: it hops to the one shared thread for every event and would
    make each socket a member of the layer (docs/decisions/0004).
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._receive, self._send = receive, send
        await receive()  # websocket.connect
        try:
            session_key = admit(scope)
        except Refused as refused:
            # A refusal before the handshake would show a browser 1006 without a reason: so it is
            # completed, but nothing that comes is read.
            await send({"type": "websocket.accept"})
            await self._close(refused.code, refused.reason)
            return
        await send({"type": "websocket.accept"})
        try:
            hello, frame_id = await self._read_hello()
            agent = await _authenticate(hello, session_key)
            code, reason = await self._serve(agent, hello, frame_id)
        except Refused as refused:
            code, reason = refused.code, refused.reason
        except Gone:
            return
        await self._close(code, reason)

    async def send_text(self, text: str) -> None:
        try:
            await self._send({"type": "websocket.send", "text": text})
        except OSError as error:  # uvicorn's ClientDisconnected
            raise Gone from error

    async def _serve(
        self, agent: Agent, hello: Hello, frame_id: int | str | None
    ) -> tuple[CloseCode, str]:
        process = runtime.current()
        organization = await process.hub.join(agent.organization_id)
        epoch = await database.read(read.get_epoch)
        socket = AgentSocket(agent, organization.head)
        process.presence.agent_arrived(agent)
        writer: asyncio.Task[tuple[CloseCode, str]] | None = None
        reader: asyncio.Task[None] | None = None
        try:
            await self.send_text(_welcome(agent, organization, epoch, frame_id))
            await catch_up(self, process.hub, organization, socket, hello=hello, epoch=epoch)
            writer = asyncio.create_task(socket.write(self))
            socket.on_closing = partial(_limit, writer)
            if socket.closing is not None:
                socket.on_closing()
            reader = asyncio.create_task(self._read_commands(socket))
            age = MAXIMUM_AGE_S * random.uniform(0.9, 1)  # noqa: S311 jitter, not a secret
            await asyncio.wait({writer, reader}, timeout=age, return_when=asyncio.FIRST_COMPLETED)
            return await _why(socket, writer, reader)
        finally:
            process.hub.detach(organization, socket)
            for task in (writer, reader):
                if task is not None:
                    task.cancel()
            process.presence.agent_left(agent, viewing=socket.viewing)

    async def _read_hello(self) -> tuple[Hello, int | str | None]:
        try:
            async with asyncio.timeout(HELLO_S):
                frame = await self._read_frame()
        except TimeoutError:
            raise Refused(CloseCode.UNAUTHENTICATED, "no hello within 5 s") from None
        if frame.type != "hello":
            raise Refused(CloseCode.UNAUTHENTICATED, "the first frame is hello")
        try:
            return Hello.model_validate(frame.data), frame.id
        except ValidationError:
            raise Refused(CloseCode.BAD_FRAME, "hello has a wrong field") from None

    async def _read_commands(self, socket: AgentSocket) -> None:
        budget = FrameBudget()
        while True:
            frame = await self._read_frame()
            wait_s = budget.spend()
            if wait_s:
                raise Refused(CloseCode.TOO_MANY_FRAMES, str(wait_s))
            socket.push_text(await _answer(socket, frame))

    async def _read_frame(self) -> Frame:
        event = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise Gone
        text = event.get("text") or ""
        if len(text) > FRAME_BYTES or len(text.encode(errors="replace")) > FRAME_BYTES:
            raise Refused(CloseCode.FRAME_TOO_LARGE, "frame over 128 KiB")
        return parse_frame(text)

    async def _close(self, code: CloseCode, reason: str) -> None:
        """Within a deadline: a client that reads nothing doesn't read a close frame either."""
        try:
            async with asyncio.timeout(CLOSE_DEADLINE_S):
                await self._send({"type": "websocket.close", "code": int(code), "reason": reason})
        except (TimeoutError, OSError, RuntimeError):
            log.info("close_not_read", code=int(code))
            abort(self._send)


def parse_frame(text: str) -> Frame:
    """Raises Refused for what is no frame.

    Half an emoji, which JavaScript writes as a lone surrogate, is a fault of a field and not of
    the frame; pydantic's own parser knows no such text, so Python's has the second word.
    """
    try:
        return Frame.model_validate_json(text)
    except ValidationError:
        try:
            return Frame.model_validate(json.loads(text))
        except (ValueError, RecursionError):
            raise Refused(CloseCode.BAD_FRAME, "not a frame") from None


def admit(scope: dict[str, Any]) -> str | None:
    """The session key of the handshake's cookie, None without one.

    A browser sends cookies to every page's sockets, so a cookie counts only from our own origin:
    scheme, host and port. Raises Refused.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    session_key = parse_cookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    if session_key and headers.get("origin") not in settings.CSRF_TRUSTED_ORIGINS:
        raise Refused(CloseCode.FORBIDDEN, "origin refused")
    return session_key or None


async def _authenticate(hello: Hello, session_key: str | None) -> Agent:
    if hello.token is not None:
        agent = await database.read(agents.find_by_token, hello.token, now=timezone.now())
    elif session_key is not None:
        agent = await database.read(agents.find_by_session, session_key)
    else:
        agent = None
    if agent is None:
        raise Refused(CloseCode.UNAUTHENTICATED, "not signed in")
    return agent


def _welcome(
    agent: Agent, organization: OrganizationHub, epoch: str, frame_id: int | str | None
) -> str:
    data = {
        "connection_id": uuid4().hex,
        "agent": {
            "id": agent.user_id,
            "name": agent.name,
            "email": agent.email,
            "role": agent.role,
            "status": agent.availability,
            "organization_id": agent.organization_id,
        },
        "epoch": epoch,
        "head": organization.head,
        "heartbeat_s": HEARTBEAT_S,
        "server_time": timezone.now().isoformat().replace("+00:00", "Z"),
    }
    return json.dumps({"id": frame_id, "ok": True, "type": "welcome", "data": data})


async def _answer(socket: AgentSocket, frame: Frame) -> str:
    """Run a command and encode its answer; whatever goes wrong is an answer too."""
    try:
        handler = HANDLERS.get(frame.type)
        if handler is None:
            raise UnknownCommand(type=frame.type[:40])
        try:
            command = COMMANDS[frame.type].model_validate(frame.data)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise InvalidArgument(f"{field}: {first['msg']}", field=field) from None
        data = await handler(socket, command)
    except AppError as error:
        return json.dumps({"id": frame.id, "ok": False, "error": error.body()})
    except Exception:  # one command's defect must not end the connection
        log.exception("command_failed", type=frame.type)
        return json.dumps({"id": frame.id, "ok": False, "error": AppError().body()})
    return f'{{"id":{json.dumps(frame.id)},"ok":true,"data":{data}}}'


def _limit(writer: "asyncio.Task[tuple[CloseCode, str]]") -> None:
    """Give a reader who takes nothing this long to take what is queued, then go on without it."""
    asyncio.get_running_loop().call_later(CLOSE_DEADLINE_S, writer.cancel)


async def _why(
    socket: AgentSocket,
    writer: "asyncio.Task[tuple[CloseCode, str]]",
    reader: "asyncio.Task[None]",
) -> tuple[CloseCode, str]:
    """Why the connection ends: what a task says, or else its age."""
    if reader.done():
        await reader  # it ends by an exception only
    if writer.done() and not writer.cancelled():
        return writer.result()
    return socket.closing or (CloseCode.MAXIMUM_AGE, "maximum age")
