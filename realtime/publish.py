"""The one door through which everything that happens becomes an event."""

from functools import partial

from django.db import transaction

from realtime import delivery, streams
from realtime.events import Event
from realtime.log.append import append
from realtime.outgoing import Outgoing, ephemeral


def publish(*events: Event) -> None:
    """Store durable events now, and hand all to the sinks once the transaction has committed.

    Called once, last, by a service inside its transaction: it takes the lock of the
    organization's counter, and whatever ran after it would make every other sender wait. A
    rollback publishes nothing. Raises RuntimeError for a durable event outside a transaction.
    """
    durable = [event for event in events if event.durable]
    if durable and not transaction.get_connection().in_atomic_block:
        raise RuntimeError("publish() runs inside the transaction that it tells of.")
    outgoing = append(durable) if durable else []
    outgoing += [_ephemeral(event) for event in events if not event.durable]
    transaction.on_commit(partial(delivery.hand_over, outgoing))


def _ephemeral(event: Event) -> Outgoing:
    channels: tuple[str, ...] = ()
    if event.visitor is not None and event.contact_id is not None:
        channels = streams.contact_channels(event.contact_id)
    return ephemeral(event, channels)
