"""Which build of the code may send orders, and which live processes are of another."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from trading.models import ControlEpoch, Heartbeat
from trading.process_name import has_ended

# A process that is older than this without a sign of life counts as gone.
ALIVE_SECONDS = 60


def expected_build() -> str:
    """Only this build gets permits; empty: any."""
    return ControlEpoch.objects.filter(id=1).values_list("expected_build", flat=True).first() or ""


def is_welcome(build: str, expected: str) -> bool:
    """As the permit asks it."""
    return expected in ("", build)


def list_foreign(now: datetime | None = None) -> list[Heartbeat]:
    """Live processes of another build than the expected one."""
    expected = expected_build()
    if not expected:
        return []
    since = (now or timezone.now()) - timedelta(seconds=ALIVE_SECONDS)
    rows = Heartbeat.objects.filter(beat_at__gte=since).exclude(build=expected)
    return [row for row in rows if not has_ended(row.process, row.identity)]


def build_record() -> dict[str, str | None]:
    """For GET /live/status: this process's own build, and the one that gets permits (null: any)."""
    return {"build": settings.BUILD, "expected_build": expected_build() or None}
