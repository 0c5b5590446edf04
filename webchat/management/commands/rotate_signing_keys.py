"""A new key for visitors' session tokens, and an end to those that nothing carries any more."""

import math
from argparse import ArgumentParser
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from webchat import signing
from webchat.models import SigningKey


class Command(BaseCommand):
    help = "Add a signing key, which signs from now on. Nobody is logged out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--retire-before",
            type=int,
            metavar="DAYS",
            help="also delete the keys that were replaced more than DAYS days ago",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days: int | None = options["retire_before"]
        if days is not None and days < _least_days():
            raise CommandError(
                f"--retire-before must be at least {_least_days()}: tokens of a replaced key can "
                "be refreshed until then."
            )
        self.stdout.write(f"Key {signing.rotate()} signs from now on.")
        if days is not None:
            retired = _retire(timezone.now() - timedelta(days=days))
            self.stdout.write(f"Deleted: {', '.join(retired) or 'none'}.")


def _least_days() -> int:
    """How long a replaced key must stay: a process may sign with it for a moment more."""
    token = timedelta(seconds=settings.SESSION_TOKEN_TTL_S + signing.RENEW_S)
    return math.ceil((token + signing.REFRESH_GRACE) / timedelta(days=1))


def _retire(before: datetime) -> list[str]:
    """Delete the keys whose successor is older than `before`; returns their ids."""
    keys = SigningKey.objects.order_by("created_at", "kid")
    doomed = [key.kid for key, successor in pairwise(keys) if successor.created_at < before]
    SigningKey.objects.filter(kid__in=doomed).delete()
    signing.ring.load()
    return doomed
