"""Periodic work of the spine. The tasks are wrappers: a lease, then one call."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from project import database
from realtime import leases
from realtime.log.trim import trim

TRIM_EVERY_S = 600


@shared_task(name="realtime.trim_event_log")
def trim_event_log() -> None:
    """Drop delivered events that are older than the days for which clients may resume."""
    now = timezone.now()
    if database.write_blocking(leases.take, "trim_event_log", for_s=TRIM_EVERY_S / 2, now=now):
        before = now - timedelta(days=settings.EVENT_LOG_DAYS)
        while database.write_blocking(trim, before=before):
            pass
