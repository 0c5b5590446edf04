"""Opening and locking the streams that number events."""

from collections.abc import Iterable

from realtime.models import ContactStream, OrganizationStream, VisitorChannel


def open_organization(organization_id: int) -> None:
    """Called in the transaction that creates the organization."""
    OrganizationStream.objects.create(organization_id=organization_id)


def open_contact(contact_id: int) -> None:
    """Called in the transaction that creates the contact."""
    ContactStream.objects.create(contact_id=contact_id)


def open_channel(visitor_id: str, contact_id: int, organization_id: int) -> None:
    """Called in the transaction that creates the visitor."""
    VisitorChannel.objects.create(
        visitor_id=visitor_id, contact_id=contact_id, organization_id=organization_id
    )


def lock_contacts(contact_ids: Iterable[int]) -> None:
    """Take the first locks of a transaction that writes conversations, in sorted order.

    Held until the transaction ends. Whoever takes them before anything else, and leaves the
    organization's counter to `publish`, cannot deadlock.
    """
    rows = ContactStream.objects.select_for_update(no_key=True)
    list(rows.filter(contact_id__in=sorted(contact_ids)).order_by("contact_id"))


def contact_channels(contact_id: int) -> tuple[str, ...]:
    """The names of the contact's visitor channels."""
    ids = VisitorChannel.objects.filter(contact_id=contact_id).values_list("visitor_id", flat=True)
    return tuple(f"visitor:{visitor_id}" for visitor_id in ids)
