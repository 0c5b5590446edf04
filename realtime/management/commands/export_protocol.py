"""Write the documents and schemas that are made from the code."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from realtime.management.protocol.files import list_stale, write


class Command(BaseCommand):
    help = "Write docs/events.md, docs/protocol.md and the JSON Schemas of all frames."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail where a file is stale"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        root = Path(settings.BASE_DIR)
        stale = list_stale(root)
        if options["check"] and stale:
            raise CommandError(f"Stale, run manage.py export_protocol: {', '.join(stale)}")
        for name in stale:
            write(root, name)
            self.stdout.write(name)
