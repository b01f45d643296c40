"""Whether the dead man is armed: a supervisor that looks says so with a heartbeat of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from trading.models import Heartbeat

ROLE = "dead_man"
_FRESH = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class DeadManState:
    """`seconds` 0: switched off. `checked_at` is the last look of an armed one, None if there never was one."""

    seconds: int
    checked_at: datetime | None
    is_armed: bool


def read_dead_man() -> DeadManState:
    seconds = settings.LEVI_CONFIG.risk.dead_man_sec
    beats = Heartbeat.objects.filter(role=ROLE).order_by("-beat_at").values_list("beat_at", flat=True)
    checked_at = beats.first()
    fresh = checked_at is not None and timezone.now() - checked_at < _FRESH
    return DeadManState(seconds, checked_at, bool(seconds) and fresh)
