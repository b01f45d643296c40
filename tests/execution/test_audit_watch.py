"""The watch over the trail: what it reads when, the verdict it keeps, and the halt it engages in production."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction

from trading import audit
from trading.audit.state import read_audit_state
from trading.domain.actors import system_actor
from trading.execution import audit_watch
from trading.execution.audit_watch import verify_on_schedule
from trading.models import AuditCheckpoint, AuditEntry, HaltState

TESTS = system_actor("tests")


@pytest.fixture(autouse=True)
def own_anchors(db, settings, tmp_path):
    settings.AUDIT_ANCHOR_FILE = tmp_path / "anchors.jsonl"
    yield
    django_settings.STOP_FLAG.unlink(missing_ok=True)


def write(how_many: int = 3) -> list[AuditEntry]:
    with transaction.atomic():
        return [audit.record("note.made", actor=TESTS) for _entry in range(how_many)]


def damage(entry: AuditEntry) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE trading_auditentry DISABLE TRIGGER refuse_rows")
        cursor.execute("UPDATE trading_auditentry SET actor = 'x' WHERE id = %s", [entry.pk])
        cursor.execute("ALTER TABLE trading_auditentry ENABLE ALWAYS TRIGGER refuse_rows")


def state() -> str:
    return HaltState.objects.get(scope="everything").state


def test_an_intact_trail_is_sealed_verified_and_said_to_be_so():
    write()
    assert verify_on_schedule().ok
    verdict = AuditEntry.objects.latest("id")
    assert verdict.kind == "audit.verified"
    assert (verdict.data["scope"], verdict.data["last_checkpoint"]) == ("all", 1)
    found = read_audit_state()
    assert found.checkpoint == 1 and found.is_intact is True and found.verified_at == verdict.at


def test_after_that_only_what_came_since_is_read_until_the_day_is_over(monkeypatch):
    write(5)
    verify_on_schedule()
    write(2)
    report = verify_on_schedule()
    assert report.since_checkpoint == 1 and report.entries == 3  # the first verdict is an entry too
    monkeypatch.setattr(audit_watch, "FULL_EVERY", timedelta(0))
    assert verify_on_schedule().entries == AuditEntry.objects.count() - 1


def test_damage_raises_the_alarm_and_is_kept():
    entries = write()
    verify_on_schedule()
    damage(entries[1])
    assert audit_watch.verify_and_judge(actor=TESTS).ok is False
    kinds = list(AuditEntry.objects.order_by("-id").values_list("kind", flat=True)[:2])
    assert kinds == ["alarm.audit", "audit.damaged"]
    said = AuditEntry.objects.get(kind="audit.damaged").data["damages"]
    assert said[0].startswith("changed: ") and f"entry {entries[1].pk}" in said[0]
    assert read_audit_state().is_intact is False


def test_what_was_damaged_before_the_last_hour_is_found_by_the_next_complete_run(monkeypatch):
    entries = write()
    verify_on_schedule()
    damage(entries[0])
    assert verify_on_schedule().ok, "it reads what came since"
    monkeypatch.setattr(audit_watch, "FULL_EVERY", timedelta(0))
    assert not verify_on_schedule().ok


def test_a_damaged_trail_is_read_as_a_whole_until_it_is_whole():
    entries = write()
    damage(entries[0])
    assert verify_on_schedule().since_checkpoint == verify_on_schedule().since_checkpoint == 0


@pytest.mark.parametrize(
    ("mode", "expected"), [("paper", "active"), ("testnet", "active"), ("production", "halted")]
)
def test_only_where_real_money_trades_damage_halts(settings, mode, expected):
    settings.LEVI_MODE = mode
    damage(write()[0])
    verify_on_schedule()
    assert state() == expected
    assert django_settings.STOP_FLAG.exists() is (expected == "halted")


def test_it_halts_once_and_not_again_at_the_next_look(settings):
    settings.LEVI_MODE = "production"
    damage(write()[0])
    verify_on_schedule()
    verify_on_schedule()
    halt = HaltState.objects.get(scope="everything")
    assert halt.trigger == "audit_damage" and "does not match the hash" in halt.reason
    assert AuditEntry.objects.filter(kind="halt.engaged").count() == 1


def test_what_waits_for_a_checkpoint_is_known():
    write()
    waiting = read_audit_state()
    assert waiting.checkpoint == 0 and waiting.waiting_since is not None and waiting.waiting_seconds >= 0
    audit.seal("test", actor=TESTS)
    assert read_audit_state().waiting_since is None
    assert AuditCheckpoint.objects.count() == 1
