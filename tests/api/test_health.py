"""Probes name every dependency; only the database and its schema decide whether the panel is ready."""

from __future__ import annotations

from datetime import timedelta

import pytest
import redis
from django.db import OperationalError
from django.utils import timezone

from tests.scripted_stream import offered, stream_row
from trading.api import health
from trading.models import ControlEpoch, ExchangeAccount, Heartbeat

from .world import Caller

__all__ = ["offered"]
READY = "/healthz/ready"


@pytest.fixture
def all_well(world):
    now = timezone.now()
    Heartbeat.objects.create(process="w", role="worker", build="b", started_at=now, beat_at=now)
    ExchangeAccount.objects.update(synced_at=now)


def look() -> tuple[int, str, dict]:
    answer = Caller().get(READY)
    body = answer.json()
    return answer.status_code, body["status"], body["dependencies"]


def test_alive_needs_nothing():
    assert Caller().get("/healthz/live").json() == {"status": "alive"}


def test_all_well_is_ready(all_well):
    status, word, parts = look()
    assert (status, word) == (200, "ready"), parts
    assert set(parts) == {"database", "migrations", "redis", "workers", "venue", "streams"}


def test_redis_away_is_degraded_not_down(all_well, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, word, parts = look()
    assert (status, word) == (200, "degraded")
    assert parts["redis"] == {"ok": False, "needed": False, "detail": "does not answer"}


def test_workers_that_fell_silent_are_named(all_well):
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(minutes=2))
    status, word, parts = look()
    assert (status, word) == (200, "degraded") and not parts["workers"]["ok"]


def test_a_venue_that_was_not_synced_is_named(all_well):
    ExchangeAccount.objects.update(synced_at=timezone.now() - timedelta(minutes=5))
    _status, word, parts = look()
    assert word == "degraded" and "not synced" in parts["venue"]["detail"]


def test_a_stream_that_is_not_live_is_named(all_well, admin, world, offered):
    admin.put("/api/v1/accounts/paper/credentials", {"key": "k" * 16, "secret": "s" * 32})
    stream_row(world.account)
    assert look()[1] == "ready"
    stream_row(world.account, state="lost", reason="https://user:secret@inside refused")
    status, word, parts = look()
    assert (status, word, parts["streams"]["needed"]) == (200, "degraded", False)
    assert "found by polling" in parts["streams"]["detail"] and "secret" not in parts["streams"]["detail"]


def test_a_database_that_is_away_is_down_and_gives_nothing_away(all_well, monkeypatch):
    def broken() -> None:
        raise OperationalError("password authentication failed for user levi at 10.0.0.7")

    rows = [
        (name, broken if name == "database" else check, needed) for name, check, needed in health.DEPENDENCIES
    ]
    monkeypatch.setattr(health, "DEPENDENCIES", rows)
    status, word, parts = look()
    assert (status, word) == (503, "down") and parts["database"]["detail"] == "does not answer"


def test_a_wrong_token_does_not_matter(all_well):
    assert Caller("nonsense").get(READY).status_code == 200


def test_missing_migrations_are_down(all_well, monkeypatch):
    from django.db.migrations.recorder import MigrationRecorder

    monkeypatch.setattr(health, "_migrations_done", False)
    MigrationRecorder.Migration.objects.filter(app="trading").latest("name").delete()
    status, word, parts = look()
    assert (status, word) == (503, "down") and "migrate" in parts["migrations"]["detail"]


def test_the_real_redis_answers(redis_client):
    assert isinstance(redis_client, redis.Redis)
    health.check_redis()


def test_a_worker_of_another_build_than_the_expected_one_is_named(all_well):
    ControlEpoch.objects.update(expected_build="new")
    status, word, parts = look()
    assert (status, word) == (200, "degraded") and "of another build" in parts["workers"]["detail"]
    Heartbeat.objects.update(build="new")
    assert look()[1] == "ready"
