"""Probes: is the process alive, and which of the things it needs answer. Open to everybody, without details.

Only the database and its schema decide readiness: with Redis, a worker or the venue away the panel and the kill switch
must stay reachable, so those make it "degraded" (200), never "down" (503).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.models import ExchangeAccount, Heartbeat
from trading.queries.builds import list_foreign
from trading.queries.streams import read_streams

from .access import PUBLIC
from .endpoint import Endpoint
from .throttles import UNLIMITED

log = logging.getLogger(__name__)
HEARTBEAT_AGE = timedelta(seconds=30)
SYNC_AGE = timedelta(seconds=60)
_REDIS_SECONDS = 0.5
_migrations_done = False


class Trouble(Exception):
    """A dependency that answers, but not as it should. The text is shown to anyone."""


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_migrations() -> None:
    """Asked until all are applied; a schema does not go back while the process lives."""
    global _migrations_done
    if _migrations_done:
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Trouble("not all migrations are applied: run manage.py migrate")
    _migrations_done = True


def check_redis() -> None:
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_REDIS_SECONDS, socket_connect_timeout=_REDIS_SECONDS
    )
    try:
        client.ping()
    finally:
        client.close()


def check_workers() -> None:
    beats = dict(Heartbeat.objects.exclude(role="web").values_list("process", "beat_at"))  # this is one
    if not beats:
        raise Trouble("no process has reported yet")
    if max(beats.values()) < timezone.now() - HEARTBEAT_AGE:
        raise Trouble(f"no process reported within {HEARTBEAT_AGE.seconds} s")
    if foreign := list_foreign():
        raise Trouble(f"{len(foreign)} process(es) of another build than the expected one get no permit")


def check_venue() -> None:
    accounts = ExchangeAccount.objects.filter(is_enabled=True, mode=settings.LEVI_MODE)
    oldest = timezone.now() - SYNC_AGE
    late = [row.name for row in accounts if row.synced_at is None or row.synced_at < oldest or row.sync_error]
    if late:
        raise Trouble(f"{len(late)} account(s) not synced within {SYNC_AGE.seconds} s")


def check_streams() -> None:
    accounts = ExchangeAccount.objects.filter(is_enabled=True, mode=settings.LEVI_MODE)
    found = read_streams(list(accounts), timezone.now()).values()
    if dark := [stream for stream in found if stream.is_expected and not stream.is_live]:
        raise Trouble(f"{len(dark)} account(s) without a live private stream: fills are found by polling")


# name, check, is it needed
DEPENDENCIES: tuple[tuple[str, Callable[[], None], bool], ...] = (
    ("database", check_database, True),
    ("migrations", check_migrations, True),
    ("redis", check_redis, False),
    ("workers", check_workers, False),
    ("venue", check_venue, False),
    ("streams", check_streams, False),
)


def look_at(check: Callable[[], None]) -> str:
    """What is wrong, in words that give nothing away; empty if nothing is."""
    try:
        check()
    except Trouble as trouble:
        return str(trouble)
    except (Error, redis.RedisError, OSError) as error:
        log.warning("probe %s failed: %s", check.__name__, error)
        return "does not answer"
    return ""


def report() -> tuple[str, dict[str, Any]]:
    found = {name: (look_at(check), is_needed) for name, check, is_needed in DEPENDENCIES}
    rows = {
        name: {"ok": not trouble, "needed": is_needed, "detail": trouble or None}
        for name, (trouble, is_needed) in found.items()
    }
    broken = [is_needed for trouble, is_needed in found.values() if trouble]
    return ("down" if any(broken) else "degraded" if broken else "ready"), rows


class DependencyAnswer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    needed = serializers.BooleanField()
    detail = serializers.CharField(allow_null=True)


class ReadyAnswer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=("ready", "degraded", "down"))
    dependencies = serializers.DictField(child=DependencyAnswer())


class LiveAnswer(serializers.Serializer[Any]):
    status = serializers.CharField()


class Probe(Endpoint):
    needs = {"GET": PUBLIC}
    buckets = {"GET": UNLIMITED}
    authentication_classes = ()  # a wrong token is no reason to restart a process
    known_parameters = None


class AliveView(Probe):
    @extend_schema(operation_id="healthz_live", summary="The process answers", responses=LiveAnswer)
    def get(self, request: Request) -> Response:
        return Response({"status": "alive"})


class ReadyView(Probe):
    @extend_schema(
        operation_id="healthz_ready",
        summary="Each dependency by name",
        responses={200: ReadyAnswer, 503: ReadyAnswer},
    )
    def get(self, request: Request) -> Response:
        status, dependencies = report()
        body = {"status": status, "dependencies": dependencies}
        return Response(body, status=503 if status == "down" else 200)
