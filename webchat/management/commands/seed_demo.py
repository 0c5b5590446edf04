"""Two demo organizations with people, sites and history."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError
from django.utils import timezone

from webchat.demo.content import SHOPS, load_shop
from webchat.demo.organization import Seeded, seed_shop
from webchat.demo.report import as_json, as_text


class Command(BaseCommand):
    help = "Make the demo organizations where they are missing, and print how to get in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON for scripts")
        parser.add_argument(
            "--agents", type=int, default=0, metavar="N", help="N more agents in the first one"
        )
        parser.add_argument(
            "--with-public-passwords",
            action="store_true",
            help="go on in production, although everybody knows the passwords of the demo",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION and not options["with_public_passwords"]:
            raise CommandError(
                "This installation runs in production, and the demo's passwords are public. "
                "Use create_owner for a real organization, or add --with-public-passwords."
            )
        if options["agents"] < 0:
            raise CommandError("--agents must be 0 or more.")
        try:
            first, other = _seed(options["agents"])
        except IntegrityError:  # another seed_demo has just made them
            first, other = _seed(options["agents"])
        if options["json"]:
            self.stdout.write(json.dumps(as_json(first, other), indent=2))
        else:
            self.stdout.write(as_text(first, other))


def _seed(extra_agents: int) -> tuple[Seeded, Seeded]:
    now = timezone.now()
    first, other = map(load_shop, SHOPS)
    return seed_shop(first, extra_agents=extra_agents, now=now), seed_shop(other, now=now)
