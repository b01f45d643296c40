"""Each trading day gets its report by itself, once it is over; one that nobody signs is an alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from tests.making import PERSON, World
from trading import tasks
from trading.execution.daily_reports import make_report, sign_report
from trading.execution.report_schedule import (
    DAYS_BACK,
    SETTLES,
    make_due_reports,
    remind_of_unsigned,
)
from trading.models import Alert, AuditEntry, DailyReport, ExchangeAccount
from trading.queries.equity import day_bounds, trading_day


@pytest.fixture
def yesterday(world: World, settings, tmp_path) -> date:
    settings.HOME_DIR = tmp_path
    ExchangeAccount.objects.update(created_at=day_bounds(trading_day() - timedelta(days=1))[0])
    return trading_day() - timedelta(days=1)


def end_of(day: date) -> datetime:
    return day_bounds(day)[1]


def test_a_day_gets_its_report_when_it_is_over_and_settled_and_only_once(yesterday, settings):
    assert make_due_reports(end_of(yesterday) + SETTLES - timedelta(seconds=1)) == []
    assert make_due_reports(end_of(yesterday) + SETTLES) == [yesterday]
    assert make_due_reports(end_of(yesterday) + SETTLES * 2) == []
    assert (settings.HOME_DIR / "reports" / f"{yesterday}.json").exists()
    assert AuditEntry.objects.filter(kind="report.made").count() == 1


def test_the_day_begins_where_it_is_configured(yesterday, settings):
    config = settings.LEVI_CONFIG
    settings.LEVI_CONFIG = replace(config, books=replace(config.books, day_starts_at_hour=6))
    ends = end_of(yesterday)
    assert ends.hour == 6
    assert yesterday not in make_due_reports(ends - timedelta(minutes=1))
    assert yesterday in make_due_reports(ends + SETTLES)


def test_a_week_without_anybody_is_caught_up_with_and_no_day_before_the_accounts(yesterday):
    ExchangeAccount.objects.update(created_at=timezone.now() - timedelta(days=90))
    assert len(make_due_reports(end_of(yesterday) + SETTLES)) == DAYS_BACK
    ExchangeAccount.objects.update(created_at=timezone.now() + timedelta(days=1))
    assert make_due_reports(end_of(yesterday) + timedelta(days=1) + SETTLES) == []


def test_what_was_made_while_its_day_ran_is_made_anew(yesterday):
    make_report(yesterday, actor=PERSON)
    DailyReport.objects.filter(day=yesterday).update(created_at=end_of(yesterday) - timedelta(hours=3))
    assert make_due_reports(end_of(yesterday) + SETTLES) == [yesterday]
    assert DailyReport.objects.get().created_at > end_of(yesterday)
    assert make_due_reports(end_of(yesterday) + SETTLES * 2) == []


def test_what_nobody_signs_for_a_day_is_told_once_a_day_and_over_when_signed(yesterday, settings):
    settings.LEVI_MODE = "testnet"
    made = make_report(yesterday, actor=PERSON)
    late = end_of(yesterday) + timedelta(days=1) + SETTLES
    assert remind_of_unsigned(late - timedelta(seconds=1)) == 0
    assert not Alert.objects.filter(event="report.unsigned").exists()
    assert remind_of_unsigned(late) == remind_of_unsigned(late) == 1
    alert = Alert.objects.get(event="report.unsigned")
    assert alert.severity == "warning" and f"the oldest of {yesterday}" in alert.subject
    sign_report(yesterday, digest=made.digest, note="read", actor=PERSON)
    alert.refresh_from_db()
    assert alert.acknowledged_at is not None
    assert remind_of_unsigned(late) == 0


def test_beat_rings_for_it_and_a_slot_serves_all_who_ring(yesterday, monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(tasks, "make_due_reports", lambda: asked.append("make"))
    monkeypatch.setattr(tasks, "remind_of_unsigned", lambda: asked.append("remind"))
    monkeypatch.setattr(tasks.jobs, "claim_slot", lambda job, seconds: len(asked) == 0)
    tasks.make_reports()
    tasks.make_reports()
    assert asked == ["make", "remind"]
