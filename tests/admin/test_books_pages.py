"""Portfolio, reconciliation and daily reports in the panel: they show the books, and close a break with a reason."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from tests.models.rows import make_account
from trading.models import AuditEntry, Break, DailyReport


@pytest.fixture
def risk(db) -> Client:
    user = User.objects.create_user("rita", password="x" * 20, is_staff=True)
    user.groups.add(Group.objects.get(name="risk"))
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def make_break(**changes) -> Break:
    now = timezone.now()
    fields = {"account": make_account(), "kind": "fill", "subject": "F1", "ours": 1, "theirs": 0}
    return Break.objects.create(**fields | {"since": now, "last_seen_at": now} | changes)


@pytest.mark.parametrize("page", ["equitysnapshot/portfolio/", "break/overview/", "dailyreport/"])
def test_the_pages_of_the_books_are_shown(risk, page):
    make_break()
    answer = risk.get(f"/admin/trading/{page}")
    assert answer.status_code == 200, answer.status_code


def test_a_break_is_acknowledged_and_then_closed_with_a_reason(risk):
    row = make_break()
    risk.post(f"/admin/trading/break/{row.pk}/acknowledge/", {"reason": "asked the venue"})
    row.refresh_from_db()
    assert (row.state, row.owner) == ("acknowledged", "rita")
    risk.post(f"/admin/trading/break/{row.pk}/adjust/", {"reason": "", "ours": "1", "theirs": "0"})
    assert Break.objects.get().state == "acknowledged", "no reason, no adjustment"
    risk.post(
        f"/admin/trading/break/{row.pk}/adjust/", {"reason": "theirs is right", "ours": "2", "theirs": "0"}
    )
    assert Break.objects.get().state == "acknowledged", "other numbers than those that hold"
    risk.post(
        f"/admin/trading/break/{row.pk}/adjust/", {"reason": "theirs is right", "ours": "1", "theirs": "0"}
    )
    row.refresh_from_db()
    assert (row.state, row.resolution, row.reason) == ("resolved", "accepted", "theirs is right")
    assert AuditEntry.objects.filter(kind="break.resolved", actor="operator:rita").count() == 1


def test_a_report_is_made_and_a_day_that_is_not_over_is_not_signed(risk):
    risk.post("/admin/trading/dailyreport/make/")
    row = DailyReport.objects.get()
    assert risk.get(f"/admin/trading/dailyreport/{row.day}/change/").status_code == 200
    risk.post(f"/admin/trading/dailyreport/{row.day}/sign/", {"digest": row.digest, "note": ""})
    assert DailyReport.objects.get().signed_at is None
