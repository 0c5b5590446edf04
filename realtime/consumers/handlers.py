"""What each command does: one service or query, then its result as JSON text."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from django.utils import timezone
from pydantic import TypeAdapter

from project import database
from project.errors import AppError, Forbidden, NotFound
from realtime import commands
from realtime.events.shapes import ConversationRow
from realtime.hub.socket import AgentSocket
from webchat.models import Availability
from webchat.permissions import has_scope
from webchat.principal import Agent
from webchat.queries import conversation as conversations
from webchat.queries import message as messages
from webchat.services import activity, conversation
from webchat.services.message.agent import send_agent_message

P = ParamSpec("P")
T = TypeVar("T")

NOTHING = "{}"
_json = TypeAdapter(Any)


class UnknownCommand(AppError):
    code = "UNKNOWN_COMMAND"
    status = 400
    message = "There is no such command."


Handler = Callable[[AgentSocket, Any], Awaitable[str]]


async def subscribe(socket: AgentSocket, command: commands.Subscribe) -> str:
    filters = conversations.Filters(
        view=command.view, status=command.status, assignee=command.assignee, team=command.team
    )
    page, counts = await _read(_list_page, socket.agent, filters, command.cursor)
    socket.list_counts = dict(counts)
    return _encode(
        {
            "items": page.items,
            "next": page.next,
            "counts": counts,
            "seq": page.position.seq,
            "epoch": page.position.epoch,
        }
    )


async def open_conversation(socket: AgentSocket, command: commands.Open) -> str:
    snapshot, history = await _read(_open_snapshot, socket.agent, command.conversation_id)
    socket.open_conversation(command.conversation_id)
    return _encode(
        {
            "conversation": snapshot.row,
            "marks": snapshot.marks,
            "messages": history.messages,
            "has_more": history.has_more,
            "seq": snapshot.position.seq,
            "epoch": snapshot.position.epoch,
        }
    )


async def claim(socket: AgentSocket, command: commands.Claim) -> str:
    return await _write_row(
        socket, conversation.claim, conversation_id=command.conversation_id, now=timezone.now()
    )


async def assign(socket: AgentSocket, command: commands.Assign) -> str:
    return await _write_row(
        socket,
        conversation.assign,
        conversation_id=command.conversation_id,
        agent_id=command.agent_id,
        team_id=command.team_id,
        now=timezone.now(),
    )


async def close(socket: AgentSocket, command: commands.Close) -> str:
    return await _write_row(
        socket,
        conversation.close,
        conversation_id=command.conversation_id,
        reason=command.reason,
        now=timezone.now(),
    )


async def reopen(socket: AgentSocket, command: commands.Reopen) -> str:
    return await _write_row(
        socket, conversation.reopen, conversation_id=command.conversation_id, now=timezone.now()
    )


async def send(socket: AgentSocket, command: commands.Send) -> str:
    sent = await _write(
        socket,
        send_agent_message,
        conversation_id=command.conversation_id,
        content=command.content,
        client_message_id=command.client_message_id,
        parent_message_id=command.parent_message_id,
        is_public=not isinstance(command, commands.AddNote),
        now=timezone.now(),
    )
    return _encode({"message": sent.message, "deduped": sent.deduped})


async def typing(socket: AgentSocket, command: commands.Typing) -> str:
    await _write(
        socket,
        activity.agent_typing,
        conversation_id=command.conversation_id,
        typing=not isinstance(command, commands.StopTyping),
        is_note=command.is_note,
        now=timezone.now(),
    )
    return NOTHING


async def viewing(socket: AgentSocket, command: commands.Viewing) -> str:
    now = timezone.now()
    before, socket.viewing = socket.viewing, None
    if before is not None and before != command.conversation_id:
        with suppress(NotFound):  # it may have gone out of sight meanwhile
            await _look(socket, before, now, viewing=False)
    if command.conversation_id is not None:
        await _look(socket, command.conversation_id, now, viewing=True)
    socket.viewing = command.conversation_id
    return NOTHING


async def seen(socket: AgentSocket, command: commands.Seen) -> str:
    await _write(
        socket,
        activity.agent_seen,
        conversation_id=command.conversation_id,
        read_up_to=command.read_up_to,
        now=timezone.now(),
    )
    return NOTHING


async def set_presence(socket: AgentSocket, command: commands.SetPresence) -> str:
    status = Availability(command.status)
    await _write(socket, activity.set_availability, status=status, now=timezone.now())
    return _encode({"status": status.value})


HANDLERS: dict[str, Handler] = {
    "list.subscribe": subscribe,
    "conversation.open": open_conversation,
    "conversation.claim": claim,
    "conversation.assign": assign,
    "conversation.close": close,
    "conversation.reopen": reopen,
    "message.send": send,
    "note.add": send,
    "typing.start": typing,
    "typing.stop": typing,
    "viewing": viewing,
    "seen": seen,
    "presence.set": set_presence,
}


async def _read(query: Callable[..., T], agent: Agent, *arguments: Any) -> T:
    if not has_scope(agent, "read"):
        raise Forbidden
    return await database.read(query, agent, *arguments)


async def _write(socket: AgentSocket, service: Callable[..., T], **arguments: Any) -> T:
    if not has_scope(socket.agent, "write"):
        raise Forbidden
    return await database.write(service, agent=socket.agent, **arguments)


async def _write_row(
    socket: AgentSocket, service: Callable[..., ConversationRow], **arguments: Any
) -> str:
    return _encode({"conversation": await _write(socket, service, **arguments)})


async def _look(socket: AgentSocket, conversation_id: int, now: datetime, *, viewing: bool) -> None:
    await _write(
        socket,
        activity.agent_viewing,
        conversation_id=conversation_id,
        viewing=viewing,
        now=now,
    )


def _list_page(
    agent: Agent, filters: conversations.Filters, cursor: str | None
) -> tuple[conversations.Page, dict[str, int]]:
    page = conversations.list_page(agent, filters, cursor=cursor)
    counted = conversations.count_open(agent.organization_id)
    return page, conversations.counts_for(agent, counted)


def _open_snapshot(
    agent: Agent, conversation_id: int
) -> tuple[conversations.Snapshot, messages.History]:
    snapshot = conversations.get_snapshot(agent, conversation_id)
    return snapshot, messages.list_for_agent(agent, conversation_id)


def _encode(data: dict[str, Any]) -> str:
    return _json.dump_json(data).decode()
