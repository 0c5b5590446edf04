"""Celery: the application and the beat schedule."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("karibu")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "trim_event_log": {"task": "realtime.trim_event_log", "schedule": 600},
    "sweep_presence": {"task": "webchat.sweep_presence", "schedule": 5},
    "delete_expired_sessions": {"task": "webchat.delete_expired_sessions", "schedule": 3600},
}
