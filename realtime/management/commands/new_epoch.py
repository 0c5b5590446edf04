"""Tell every client that the database is not the one it knew."""

from typing import Any

from django.core.management.base import BaseCommand

from realtime.models import Installation
from realtime.models.installation import new_epoch


class Command(BaseCommand):
    """Part of restoring a backup: run it before the servers start.

    The restored numbers are lower than some that clients have seen. With another epoch no client
    resumes from its old position: agents resync, visitors bootstrap.
    """

    help = "Change the epoch after restoring a backup, so that every client starts afresh."

    def handle(self, *args: Any, **options: Any) -> None:
        installation, _ = Installation.objects.update_or_create(
            pk=1, defaults={"epoch": new_epoch()}
        )
        self.stdout.write(f"The epoch is now {installation.epoch}.")
