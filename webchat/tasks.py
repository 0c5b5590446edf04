"""Periodic work of the product. The tasks are wrappers: a lease, then one call."""

from celery import shared_task
from django.utils import timezone

from project import database
from realtime import leases
from webchat.services import presence, session

SWEEP_EVERY_S = 5
EXPIRE_EVERY_S = 3600


@shared_task(name="webchat.sweep_presence")
def sweep_presence() -> None:
    """Tell agents of visitors and colleagues who have been gone for longer than the grace."""
    now = timezone.now()
    if database.write_blocking(leases.take, "sweep_presence", for_s=SWEEP_EVERY_S / 2, now=now):
        database.write_blocking(presence.sweep, now=now)


@shared_task(name="webchat.delete_expired_sessions")
def delete_expired_sessions() -> None:
    """Delete visitors' sessions that nothing can revive."""
    now = timezone.now()
    half = EXPIRE_EVERY_S / 2
    if database.write_blocking(leases.take, "delete_expired_sessions", for_s=half, now=now):
        while database.write_blocking(session.delete_expired, now=now):
            pass
