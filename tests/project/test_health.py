"""Alive, ready, and the metrics."""

from datetime import timedelta
from typing import Any, NoReturn

import pytest
from channels.layers import get_channel_layer
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from project import health
from realtime.models import Lease

pytestmark = pytest.mark.django_db


@pytest.fixture
def beating() -> None:
    """A task has just run."""
    Lease.objects.create(name="sweep_presence", expires_at=timezone.now())


def parts() -> tuple[int, dict[str, str]]:
    response = Client().get("/readyz")
    return response.status_code, response.json()["parts"]


OK = {"database": "ok", "migrations": "ok", "layer": "ok", "celery": "ok"}


def fail(*args: Any, **kwargs: Any) -> NoReturn:
    raise OperationalError("connection to 10.0.0.7 with password=secret failed")


def test_is_alive_whatever_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "cursor", fail)
    response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response.headers["Cache-Control"]


def test_is_ready_when_every_part_works(beating: None) -> None:
    response = Client().get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "parts": OK}


def test_names_a_database_that_is_away_and_keeps_its_secrets(
    beating: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(health.CHECKS, "database", fail)
    status, found = parts()
    assert (status, found) == (503, OK | {"database": "Out of reach. The log says why."})
    assert "part_broken" in caplog.text


def test_counts_the_migrations_that_are_missing(
    beating: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = [(object(), False)] * 2
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *_: plan)
    told = "2 migrations are not applied. Run manage.py migrate."
    assert parts() == (503, OK | {"migrations": told})


def test_notices_a_layer_that_loses_what_it_is_given(
    beating: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(*args: Any) -> None:
        pass

    monkeypatch.setattr(health, "LAYER_TIMEOUT_S", 0.01)
    monkeypatch.setattr(get_channel_layer(), "send", lose)
    assert parts() == (503, OK | {"layer": "Out of reach. The log says why."})


@pytest.mark.parametrize("silence", [None, timedelta(seconds=31)])
def test_notices_that_no_task_runs(silence: timedelta | None) -> None:
    if silence is not None:
        Lease.objects.create(name="sweep_presence", expires_at=timezone.now() - silence)
    told = "No task has run for 30 s. Start the worker and beat."
    assert parts() == (503, OK | {"celery": told})


class TestMetrics:
    def test_are_not_there_without_a_token_of_the_settings(self, settings: Settings) -> None:
        settings.METRICS_TOKEN = ""
        for sent in ("", "Bearer ", "Bearer x"):
            response = Client().get("/metrics", headers={"Authorization": sent})
            assert response.status_code == 404

    @pytest.mark.parametrize(
        "sent", ["", "Bearer", "Bearer wrong", "Basic token", "token", "Bearer é"]
    )
    def test_are_for_who_knows_the_token(self, settings: Settings, sent: str) -> None:
        settings.METRICS_TOKEN = "token"
        response = Client().get("/metrics", headers={"Authorization": sent})
        assert response.status_code == 401
        assert response.json()["error"]["code"] == "UNAUTHORIZED"

    def test_are_prometheus_own_text(self, settings: Settings) -> None:
        settings.METRICS_TOKEN = "token"
        response = Client().get("/metrics", headers={"Authorization": "Bearer token"})
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/plain")
        assert b"karibu_backlog_events" in response.content
