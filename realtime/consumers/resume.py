"""Bringing a socket from where its client was to the live stream, without a gap."""

import json

from project import database
from realtime.commands import Hello
from realtime.hub.frames import Frame
from realtime.hub.hub import Hub
from realtime.hub.organization import PAGE, OrganizationHub
from realtime.hub.socket import AgentSocket, Wire
from realtime.log import read

LIVE_BACKLOG = 100
"""So many frames may go through the bounded outbox at once; more are written straight out."""


async def catch_up(
    wire: Wire,
    hub: Hub,
    organization: OrganizationHub,
    socket: AgentSocket,
    *,
    hello: Hello,
    epoch: str,
) -> None:
    """Send what the client missed, then attach the socket to the live stream.

    Where the log cannot tell (another epoch, too old, beyond the head), `resync` makes the client
    take snapshots, and the socket is live from the head.
    """
    if hello.after is None:
        at = socket.position  # what the welcome has told; the head may be further by now
    elif await _is_resumable(organization, hello, epoch):
        at = socket.position = hello.after
    else:
        at = await _resync(wire, organization, socket, epoch)
    while (missed := organization.since(at)) is None or len(missed) > LIVE_BACKLOG:
        frames = missed[:PAGE] if missed is not None else await _read_page(organization, at)
        if not frames:  # trimmed while we were reading
            at = await _resync(wire, organization, socket, epoch)
        for frame in frames:
            if frame.seq is not None:
                at = frame.seq
            if socket.hears(frame):
                await wire.send_text(frame.text(socket.position))
                socket.position = at
    # Nothing is awaited from `since` above to here, so no frame falls in between.
    hub.attach(organization, socket)
    for frame in missed:
        if socket.hears(frame):
            socket.push(frame)


async def _is_resumable(organization: OrganizationHub, hello: Hello, epoch: str) -> bool:
    if hello.after is None or hello.epoch != epoch or hello.after > organization.head:
        return False
    if hello.after == organization.head or organization.since(hello.after) is not None:
        return True
    oldest = await database.read(read.get_oldest, organization.organization_id)
    return oldest is not None and oldest <= hello.after + 1


async def _read_page(organization: OrganizationHub, after: int) -> list[Frame]:
    events = await database.read(
        read.list_after, organization.organization_id, after, limit=PAGE, up_to=organization.head
    )
    return [Frame.from_log(event) for event in events]


async def _resync(
    wire: Wire, organization: OrganizationHub, socket: AgentSocket, epoch: str
) -> int:
    head = socket.position = organization.head
    await wire.send_text(json.dumps({"type": "resync", "epoch": epoch, "head": head}))
    return head
