"""Serve the product."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from project.embedded import EmbeddedCelery
from project.server import hold_data_dir, listen, serve


class Command(BaseCommand):
    """Everything in one process and in the foreground; what it needs is there already."""

    help = "Serves the product; SIGINT or SIGTERM stops it within ten seconds."

    def handle(self, *args: Any, **options: Any) -> None:
        # Whatever may refuse the start comes before the threads.
        with hold_data_dir(), listen(settings.HOST, settings.PORT) as listener:
            celery = EmbeddedCelery() if settings.CELERY_EMBEDDED else None
            if celery:
                celery.start()
            try:
                serve(listener, ready=self._say_ready)
            finally:
                if celery:
                    celery.stop()

    def _say_ready(self) -> None:
        self.stdout.write(self.style.SUCCESS(f"\nReady: {settings.BASE_URL}\n"))
        for what, path in (
            ("Sign in", "/accounts/login/"),
            ("A visitor's page", "/examples/visitor"),
            ("API docs", "/api/docs"),
        ):
            self.stdout.write(f"  {what:<18}{settings.BASE_URL}{path}")
        self.stdout.write("\nCtrl-C stops it.")
        self.stdout.flush()
