"""What is known of a person."""

from typing import ClassVar

from realtime.events.base import Event, Shape
from realtime.events.shapes import ContactSummary, RowChange


class ContactUpdatedData(Shape):
    """`row` is the open conversation's; null where there is none."""

    contact: ContactSummary
    row: RowChange | None


class ContactUpdated(Event):
    """A contact's name changed.

    Set `contact` in every row of the contact, closed ones too; its messages go by that name.
    """

    type: ClassVar = "contact.updated"

    data: ContactUpdatedData
    visitor: None = None
