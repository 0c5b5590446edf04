"""Leases: one holder at a time for a piece of work, by a row and a conditional UPDATE."""

from datetime import datetime, timedelta

from realtime.models import Lease


def take(name: str, *, for_s: float, now: datetime) -> bool:
    """Take the lease unless somebody has it. Returns whether it's ours, until `for_s` are over."""
    until = now + timedelta(seconds=for_s)
    free = Lease.objects.filter(name=name, expires_at__lte=now)
    if free.update(expires_at=until) == 1:
        return True
    _, is_new = Lease.objects.get_or_create(name=name, defaults={"expires_at": until})
    return is_new
