"""Forgetting what nobody can resume from any more."""

from datetime import datetime

from realtime.models import StoredEvent

BATCH = 2000


def trim(*, before: datetime) -> int:
    """Delete delivered events older than `before`, a batch at a time; returns how many went.

    Ids rise with time, near enough: walking them from the oldest needs no index of its own, and
    a batch that has nothing to delete ends the walk.
    """
    oldest = StoredEvent.objects.order_by("pk").values_list(
        "pk", "created_at", "agents_pending", "visitor_pending"
    )[:BATCH]
    doomed = [
        pk
        for pk, created_at, agents_pending, visitor_pending in oldest
        if created_at < before and not agents_pending and not visitor_pending
    ]
    StoredEvent.objects.filter(pk__in=doomed).delete()
    return len(doomed)
