"""Settings, entry points and what every package shares."""

from project.celery import app as celery_app

__all__ = ["celery_app"]
