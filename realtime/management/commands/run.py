"""Everything from an empty database to a running demo."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Migrates, seeds the demo and serves: what `make run` does once it's installed."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("seed_demo", stdout=self.stdout)
        call_command("serve", stdout=self.stdout)
