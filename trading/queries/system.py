"""What runs: processes with build and heartbeat, the database, the queues, the disk, and the licences of what is used.

Each part stands alone: one that cannot be read is None, and the others still show. Reads only.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from trading.doorbell import BELLS
from trading.models import ExchangeAccount

from .processes import LivingProcess, list_processes

_REDIS_SECONDS = 0.5
_TABLES = 12
_ACCOUNTS = 10
_LOCK_FILE = Path(__file__).resolve().parents[2] / "requirements.txt"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    version: str
    size: int
    connections: int
    most_connections: int
    tables: list[tuple[str, int, int]]  # name, rows (estimated), bytes


@dataclass(frozen=True, slots=True)
class DiskFacts:
    total: int
    free: int

    @property
    def used_percent(self) -> float:
        return 100 * (self.total - self.free) / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Part:
    """A distribution the product runs on."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True)
class SystemFacts:
    processes: list[LivingProcess]
    accounts: list[ExchangeAccount]
    database: DatabaseFacts
    queues: dict[str, int] | None
    disk: DiskFacts | None
    parts: list[Part]


def read_system() -> SystemFacts:
    return SystemFacts(
        list_processes(timezone.now()),
        list(
            ExchangeAccount.objects.filter(mode=settings.LEVI_MODE, is_enabled=True).order_by("name")[
                :_ACCOUNTS
            ]
        ),
        _read_database(),
        _read_queues(),
        _read_disk(),
        list_parts(),
    )


def _read_database() -> DatabaseFacts:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()),"
            " current_setting('max_connections')::int"
        )
        version, size, connections, most = cursor.fetchone()
        cursor.execute(
            "SELECT relname, greatest(reltuples, 0)::bigint, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 3 DESC LIMIT %s",
            [_TABLES],
        )
        return DatabaseFacts(version, size, connections, most, list(cursor.fetchall()))


def _read_queues() -> dict[str, int] | None:
    """Bells not yet heard, per queue. None while Redis is away."""
    client = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_REDIS_SECONDS,
        socket_connect_timeout=_REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    names = sorted(set(BELLS.values()))
    try:
        pipe = client.pipeline(transaction=False)
        for name in names:
            pipe.llen(name)
        return dict(zip(names, map(int, pipe.execute()), strict=True))
    except (redis.RedisError, OSError):
        return None
    finally:
        client.close()


def _read_disk() -> DiskFacts | None:
    try:
        usage = shutil.disk_usage(settings.HOME_DIR)
    except OSError:
        return None
    return DiskFacts(usage.total, usage.free)


@cache
def list_parts() -> list[Part]:
    """What is locked for running, and installed: tools of development beside it are no part of the product. Read once,
    because it does not change while a process lives."""
    found, wanted = {}, _locked_names()
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name and (not wanted or _plain(name) in wanted):
            found[name.lower()] = Part(name, distribution.version, _licence(distribution))
    return [found[name] for name in sorted(found)]


def _locked_names() -> set[str]:
    """Empty where the list is not at hand: then everything that is installed counts."""
    try:
        return {_plain(name) for name in _PINNED.findall(_LOCK_FILE.read_text())}
    except OSError:
        return set()


def _plain(name: str) -> str:
    """One spelling for every way a package's name is written."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _licence(distribution: metadata.Distribution) -> str:
    told = distribution.metadata.get("License-Expression") or ""
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in distribution.metadata.get_all("Classifier") or ()
        if "License ::" in line
    ]
    named = told or ", ".join(word for word in classifiers if word != "OSI Approved")
    # Some packages put the whole text of their licence there.
    return named or (distribution.metadata.get("License") or "not stated").splitlines()[0][:60]
