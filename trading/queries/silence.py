"""What should run and gives no sign of it: the watchers that halt by themselves, and the roles of the product.

Ages alone would call every start and every machine that slept a silence. So whoever looks for it keeps a heartbeat of
its own (role `watch`), and a silence counts only when it was watched for as long. A role that never ran here is not
missed. Reads only; the alarm is `execution.silence_watch`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone

from trading.audit.state import read_audit_state
from trading.models import Heartbeat, JobSlot

from .dead_man import read_dead_man

WATCH = "watch"
MINUTE = 60
# It runs every hour.
AUDIT_SECONDS = 3 * 3600
# Beat gives no sign of life of its own: what counts is that somebody hears it ring.
BEAT, RUNG = "beat", "sync"


@dataclass(frozen=True, slots=True)
class Role:
    """`halts`: the dead man halts for its silence. `money`: what is not done without it."""

    money: str
    is_critical: bool = False
    halts: bool = False


ROLES: dict[str, Role] = {
    "orders": Role(
        "No order is sent and none is followed; with orders on the way the dead man halts everything.",
        True,
        True,
    ),
    "supervisor": Role(
        "The dead man does not watch; sweeps, alerts and automatic halts wait for beat and the background worker.",
        True,
    ),
    "streams": Role(
        "Fills are found by polling, seconds later. The automatic halt stream_gap restricts accounts after a minute."
    ),
    "background": Role(
        "The supervisor alone syncs and watches; the audit trail is not verified, reports and exports are not made."
    ),
    BEAT: Role(
        "Beat, Redis or the workers that hear it are down. The supervisor alone syncs, watches and delivers alerts."
    ),
    "web": Role(
        "Panel and API do not answer; trading goes on. To stop: manage.py halt, or manage.py break_glass."
    ),
}


@dataclass(frozen=True, slots=True)
class Unheard:
    """`seconds` None: never a sign."""

    name: str
    seconds: int | None


def watched_seconds(now: datetime) -> float:
    """For how long somebody has looked for silence without a gap; 0 if nobody does."""
    row = Heartbeat.objects.filter(role=WATCH).order_by("-beat_at").first()
    if row is None or (now - row.beat_at).total_seconds() > MINUTE:
        return 0.0
    return (now - row.started_at).total_seconds()


def silent_watchers(now: datetime | None = None) -> list[Unheard]:
    """The dead man that is not armed and the verification that does not run."""
    now = now or timezone.now()
    found = [
        (Unheard("dead_man", _age(now, read_dead_man().checked_at)), _dead_man_limit(now)),
        (Unheard("audit_damage", _age(now, read_audit_state().verified_at)), AUDIT_SECONDS),
    ]
    watched = watched_seconds(now)
    return [each for each, limit in found if limit and watched > limit and _is_over(each.seconds, limit)]


def _dead_man_limit(now: datetime) -> int:
    """A supervisor that lives arms it after `dead_man_sec`, also after a lost database; 0: switched off."""
    lives = Heartbeat.objects.filter(role="supervisor", beat_at__gt=now - timedelta(seconds=MINUTE)).exists()
    seconds = read_dead_man().seconds
    return MINUTE + (seconds if lives else 0) if seconds else 0


def silent_roles(now: datetime | None = None) -> list[Unheard]:
    """Roles that ran here within a day and of which no process on any host has given a sign for a minute."""
    now = now or timezone.now()
    if watched_seconds(now) <= MINUTE:
        return []
    ages = ((name, _age(now, at)) for name, at in _last_signs())
    return [Unheard(name, age) for name, age in ages if age is not None and age > MINUTE]


def _last_signs() -> Iterator[tuple[str, datetime | None]]:
    beats = Heartbeat.objects.filter(role__in=ROLES).exclude(role=BEAT)
    yield from beats.order_by("role").values_list("role").annotate(at=Max("beat_at"))
    rung = JobSlot.objects.filter(job=RUNG).order_by("-slot").values_list("claimed_at", flat=True)
    yield BEAT, rung.first()


def _age(now: datetime, at: datetime | None) -> int | None:
    return max(int((now - at).total_seconds()), 0) if at else None


def _is_over(seconds: int | None, limit: int) -> bool:
    return seconds is None or seconds > limit
