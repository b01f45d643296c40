"""Alarms for what should run and does not: triggers that do not look, watchers and roles without a sign of life.

Whoever watches the triggers also comes here (the supervisor, and beat through the background worker), so that the one
that lives tells of the other. Only the silence of order workers halts, by the dead man; the rest is told to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.models import Heartbeat
from trading.queries.silence import MINUTE, ROLES, WATCH, silent_roles
from trading.queries.triggers import silent_triggers

from .jobs import claim_slot

ACTOR = system_actor("triggers")
_AGAIN_SECONDS = 600


def watch_silence() -> None:
    """Every ten minutes the same alarm again, until it is over."""
    _note_watch()
    for name, seconds in silent_triggers():
        words = "never looked" if seconds is None else f"not looked for {seconds} s"
        _raise_alarm("alarm.trigger", name, {"trigger": name, "reason": f"the trigger {name} has {words}"})
    for unheard in silent_roles():
        role = ROLES[unheard.name]
        reason = f"no process of the role {unheard.name} gave a sign of life for {unheard.seconds} s"
        more = {"role": unheard.name, "critical": role.is_critical, "money": role.money}
        _raise_alarm("alarm.heartbeat", unheard.name, {**more, "reason": reason})


def _note_watch() -> None:
    """One row for all who look. After a gap, be it a start or a sleep of the machine, the watch begins anew."""
    now = timezone.now()
    rows = Heartbeat.objects.filter(process=WATCH)
    rows.filter(beat_at__lt=now - timedelta(seconds=MINUTE)).update(started_at=now)
    said = {"role": WATCH, "build": settings.BUILD, "beat_at": now}
    Heartbeat.objects.update_or_create(
        process=WATCH, defaults=said, create_defaults={**said, "started_at": now}
    )


def _raise_alarm(kind: str, name: str, data: Mapping[str, Any]) -> None:
    if claim_slot(f"{kind} {name}", _AGAIN_SECONDS):
        about = kind.removeprefix("alarm.")
        with transaction.atomic():
            audit.record(kind, actor=ACTOR, object_type=about, object_id=name, data=dict(data))
