"""Periodic work that must run once per slot, and the signs of life of every process.

A unique row per job and slot makes two schedulers harmless. Heartbeats are rows, because Redis may be down.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from trading.models import Heartbeat, JobSlot
from trading.process_name import process_identity, process_name, process_role

_STARTED_AT = timezone.now()
_KEEP = timedelta(days=1)


def claim_slot(job: str, period_seconds: int) -> bool:
    """True for exactly one caller per period."""
    slot = int(time.time()) // period_seconds
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trading_jobslot (job, slot, claimed_at, process) VALUES (%s, %s, now(), %s)"
            " ON CONFLICT DO NOTHING",
            [job, slot, process_name()],
        )
        return bool(cursor.rowcount == 1)


def forget_old_slots() -> int:
    deleted, _ = JobSlot.objects.filter(claimed_at__lt=timezone.now() - _KEEP).delete()
    Heartbeat.objects.filter(beat_at__lt=timezone.now() - _KEEP).delete()
    return deleted


def beat_heart(*, name: str | None = None) -> None:
    """Say that this process lives. One row per process."""
    said = {
        "role": process_role(),
        "build": settings.BUILD,
        "identity": process_identity(),
        "beat_at": timezone.now(),
    }
    Heartbeat.objects.update_or_create(
        process=name or process_name(), defaults=said, create_defaults={**said, "started_at": _STARTED_AT}
    )
