"""What does not run is an alarm: a watcher that halts, and every role. A start and a machine that slept are none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from trading.execution.silence_watch import watch_silence
from trading.models import Alert, AuditEntry, HaltChange, Heartbeat, JobSlot
from trading.queries.dead_man import ROLE as DEAD_MAN
from trading.queries.live_state import read_live_state
from trading.queries.silence import ROLES, silent_roles, silent_watchers
from trading.queries.triggers import read_triggers

pytestmark = pytest.mark.django_db


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


def beat(role: str, seconds_ago: float, *, started: float = 86_400) -> None:
    Heartbeat.objects.update_or_create(
        process=role,
        defaults={"role": role, "build": "b", "beat_at": ago(seconds_ago), "started_at": ago(started)},
    )


def watch_for(seconds: float) -> None:
    """Somebody has looked for so long, and looks once more."""
    beat("watch", 1, started=seconds)
    watch_silence()


def alarms(kind: str) -> set[str]:
    return set(AuditEntry.objects.filter(kind=kind).values_list("object_id", flat=True))


@pytest.fixture
def healthy(settings):
    for role in (*ROLES, DEAD_MAN):
        beat(role, 1)


def seconds_of(watchers) -> dict[str, int | None]:
    return {each.name: each.seconds for each in watchers}


def test_while_everybody_gives_a_sign_nobody_is_called_silent(healthy):
    watch_for(7200)
    assert silent_watchers() == [] and silent_roles() == []
    assert alarms("alarm.heartbeat") == set()


def test_a_dead_man_that_is_gone_with_its_supervisor_is_an_alarm_after_a_minute(healthy):
    beat("supervisor", 62)
    beat(DEAD_MAN, 62)
    watch_for(7200)
    assert "dead_man" in alarms("alarm.trigger")
    assert Alert.objects.get(dedupe_key="trigger dead_man|").severity == "critical"


def test_a_dead_man_that_was_never_armed_is_an_alarm(healthy, settings):
    Heartbeat.objects.filter(role=DEAD_MAN).delete()
    watch_for(settings.LEVI_CONFIG.risk.dead_man_sec + 30)
    assert "dead_man" not in alarms("alarm.trigger")
    watch_for(settings.LEVI_CONFIG.risk.dead_man_sec + 62)
    assert "dead_man" in alarms("alarm.trigger")


def test_a_dead_man_that_is_switched_off_is_neither_missed_nor_measured(healthy, settings):
    Heartbeat.objects.filter(role=DEAD_MAN).delete()
    assert read_live_state("paper", timezone.now()).dead_man_armed == 0
    risk = replace(settings.LEVI_CONFIG.risk, dead_man_sec=0)
    settings.LEVI_CONFIG = replace(settings.LEVI_CONFIG, risk=risk)
    watch_for(7200)
    assert "dead_man" not in alarms("alarm.trigger")
    assert read_live_state("paper", timezone.now()).dead_man_armed is None


def test_a_supervisor_that_has_just_come_back_has_its_time_to_arm_it(healthy, settings):
    beat(DEAD_MAN, settings.LEVI_CONFIG.risk.dead_man_sec + 50)
    assert silent_watchers() == []
    watch_for(7200)
    assert "dead_man" not in alarms("alarm.trigger")


@pytest.mark.parametrize("watched, is_missed", [(3 * 3600 - 60, False), (3 * 3600 + 60, True)])
def test_a_verification_that_does_not_run_for_three_hours_is_an_alarm(healthy, watched, is_missed):
    watch_for(watched)
    assert ("audit_damage" in alarms("alarm.trigger")) is is_missed
    assert next(row.verdict for row in read_triggers() if row.trigger == "audit_damage") == "silent"


@pytest.mark.parametrize("role", [*ROLES])
def test_every_silent_role_is_told_of_once_and_halts_nothing_by_itself(healthy, role):
    beat(role, 65)
    if role == "beat":
        JobSlot.objects.create(job="sync", slot=1, claimed_at=ago(65), process="background")
    watch_for(120)
    watch_silence()
    assert alarms("alarm.heartbeat") == {role}
    alert = Alert.objects.get(event="alarm.heartbeat")
    assert alert.severity == ("critical" if role in ("orders", "supervisor") else "warning")
    assert "for 65 s" in alert.text and ROLES[role].money in alert.text
    assert not HaltChange.objects.exists()


def test_one_process_of_a_role_that_lives_is_enough(healthy):
    Heartbeat.objects.create(
        process="web@other", role="web", build="b", beat_at=ago(900), started_at=ago(9000)
    )
    watch_for(120)
    assert silent_roles() == []


def test_a_start_after_a_long_time_is_no_silence_and_a_role_that_never_ran_is_not_missed(db):
    beat("background", 7200)
    beat("watch", 7200)
    watch_silence()
    watch_silence()
    assert alarms("alarm.heartbeat") == set() and not {"dead_man", "audit_damage"} & alarms("alarm.trigger")
    beat("watch", 1, started=61)
    assert [each.name for each in silent_roles()] == ["background"]
