"""Deciding whether a returning client gets every publication that it missed."""

from collections.abc import Sequence

from realtime.gateway.commands import Subscribe
from realtime.gateway.options import GatewayOptions
from realtime.gateway.ports import Publication, StreamPosition, Streams


async def find_missed(
    streams: Streams, request: Subscribe, top: StreamPosition, options: GatewayOptions
) -> Sequence[Publication] | None:
    """The publications after the request's offset up to `top`; None when any of them is gone.

    All or nothing, like Centrifugo's stream mode (centrifuge client.go, isStreamRecovered): an
    empty epoch matches every stream, an offset above the top none.
    """
    if request.epoch and request.epoch != top.epoch:
        return None
    missed = top.offset - request.offset
    if not 0 <= missed <= min(options.history_size, options.recovery_limit):
        return None
    if missed == 0:
        return ()
    found = await streams.since(request.channel, request.offset, missed)
    wanted = range(request.offset + 1, top.offset + 1)
    return found if [publication.offset for publication in found] == list(wanted) else None
