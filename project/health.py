"""Whether the process lives, whether everything that it needs works, and its metrics."""

import asyncio
import hmac
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from project.errors import Unauthorized
from project.refusals import respond
from realtime.models import Lease

log = structlog.stdlib.get_logger(__name__)

LAYER_TIMEOUT_S = 2
HEARTBEAT = "sweep_presence"
HEARTBEAT_WITHIN = timedelta(seconds=30)


class Broken(Exception):
    """A part does not work; the text says what to do and holds no secret."""


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: it answers, whatever else may be down."""
    return JsonResponse({"status": "ok"})


@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Ready: each part by name, `ok` or what is wrong with it; 503 where one is."""
    parts = {name: _probe(name, check) for name, check in CHECKS.items()}
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse(
        {"status": "ok" if ready else "broken", "parts": parts},
        status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, by the bearer token KARIBU_METRICS_TOKEN; without that there is no page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    sent = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(sent, f"Bearer {settings.METRICS_TOKEN}".encode()):
        return respond(Unauthorized())
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _probe(name: str, check: Callable[[], None]) -> str:
    try:
        check()
    except Broken as broken:
        return str(broken)
    except Exception:  # the details, which may hold addresses, are for the log alone
        log.exception("part_broken", part=name)
        return "Out of reach. The log says why."
    return "ok"


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_migrations() -> None:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise Broken(f"{len(missing)} migrations are not applied. Run manage.py migrate.")


def _check_layer() -> None:
    async_to_sync(_send_to_self)()


async def _send_to_self() -> None:
    layer: Any = get_channel_layer()
    channel = await layer.new_channel("ready")
    async with asyncio.timeout(LAYER_TIMEOUT_S):
        await layer.send(channel, {"type": "ready"})
        await layer.receive(channel)


def _check_celery() -> None:
    """A task that runs every five seconds leaves its lease behind."""
    beat = Lease.objects.filter(name=HEARTBEAT).values_list("expires_at", flat=True).first()
    if beat is None or beat < timezone.now() - HEARTBEAT_WITHIN:
        raise Broken("No task has run for 30 s. Start the worker and beat.")


CHECKS: dict[str, Callable[[], None]] = {
    "database": _check_database,
    "migrations": _check_migrations,
    "layer": _check_layer,
    "celery": _check_celery,
}
