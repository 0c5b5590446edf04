"""The event of a new message, from either side."""

from typing import Any

from realtime.events import MessageCreated
from realtime.events.message import MessageCreatedData, MessageNew
from realtime.events.shapes import MessageShape, RowChange, SenderShape


def message_created(
    routing: dict[str, Any], shape: MessageShape, change: RowChange, *, sender_id: int
) -> MessageCreated:
    """A note has no visitor payload.

    `routing` is that of `services.routing.about`; `sender_id` is a user's or a contact's.
    """
    return MessageCreated(
        **routing,
        data=MessageCreatedData(**dict(shape), row=change),
        visitor=_message_new(shape, sender_id=sender_id) if shape.is_public else None,
    )


def _message_new(shape: MessageShape, *, sender_id: int) -> MessageNew:
    return MessageNew(
        message_id=shape.id,
        id=shape.id,
        content=shape.content,
        content_type=shape.message_type,
        sender=SenderShape(type=shape.sender_type, id=sender_id, name=shape.sender_name),
        created_at=shape.created_at,
        parent_message_id=shape.parent_message_id,
        client_message_id=shape.client_message_id,
        attachments=shape.attachments,
        metadata=shape.metadata,
    )
