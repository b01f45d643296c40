"""Portfolio, reconciliation and daily reports in the panel: they show the books, and close a break with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from tests.models.rows import make_account
from tests.sign_in.browsers import Browser
from trading.models import ApprovalRequest, AuditEntry, Break, DailyReport
from trading.queries.equity import day_bounds


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


def is_untouched(row: Break) -> bool:
    return (
        Break.objects.get().state == "open" and not AuditEntry.objects.filter(kind="break.resolved").exists()
    )


def call(browser: Browser, row: Break, code: str = "") -> tuple[int, str]:
    """The same over the API, with the panel's session."""
    answer = browser.client.post(
        f"/api/v1/breaks/{row.pk}/adjust",
        {"reason": "theirs is right"},
        content_type="application/json",
        headers={"X-Levi-Code": code} if code else {},
    )
    return answer.status_code, answer.json().get("code", "")


def test_closing_a_break_takes_a_fresh_code_in_panel_and_api(people, settings):
    row = make_break()
    settings.LEVI_MODE = "testnet"
    rita = Browser(people["risk"]).confirm(minutes_ago=6)
    given = {"reason": "theirs is right", "ours": "1", "theirs": "0"}
    asked = rita.post("break_adjust", row.pk, **given)
    assert "Confirm that it is you" in asked.content.decode() and is_untouched(row)
    assert "Confirm that it is you" in rita.go_on(asked, "000000").content.decode() and is_untouched(row)
    assert call(rita, row) == (403, "second_factor_required") and is_untouched(row)
    assert call(rita, row, "000000") == (403, "wrong_code") and is_untouched(row)
    assert call(rita, row, rita.fresh_code())[0] == 200
    assert Break.objects.get().resolution == "accepted"


def test_in_production_closing_a_break_waits_for_another_person(people, settings):
    row = make_break()
    settings.LEVI_MODE = "production"
    people["super"].is_superuser = False
    people["super"].save()
    people["super"].groups.set(people["risk"].groups.all())
    rita, ben = Browser(people["risk"]).confirm(), Browser(people["super"]).confirm()
    rita.post("break_adjust", row.pk, reason="theirs is right", ours="1", theirs="0")
    asked = ApprovalRequest.objects.get()
    assert (asked.kind, asked.state) == ("adjustment", "pending") and is_untouched(row)
    assert call(rita, row)[0] in (202, 409) and is_untouched(row)
    rita.post("approvalrequest_approve", asked.pk)
    assert is_untouched(row)
    ben.post("approvalrequest_approve", asked.pk)
    closed = Break.objects.get()
    assert (closed.state, closed.resolution) == ("resolved", "accepted")
    assert AuditEntry.objects.get(kind="break.resolved").actor == "operator:risk-person"


def test_a_report_is_made_and_a_day_that_is_not_over_is_not_signed(risk):
    risk.post("/admin/trading/dailyreport/make/")
    row = DailyReport.objects.get()
    page = risk.get(f"/admin/trading/dailyreport/{row.day}/change/").content.decode()
    first = page.split('<pre class="lv-code">')[1].splitlines()[0]
    begins, ends = (f"{at:%Y-%m-%d %H:%M}" for at in day_bounds(row.day))
    assert first == f"Daily report of {row.day} (paper), {begins} to {ends} UTC"
    risk.post(f"/admin/trading/dailyreport/{row.day}/sign/", {"digest": row.digest, "note": ""})
    assert DailyReport.objects.get().signed_at is None


def test_a_report_of_a_day_that_lasts_counts_a_break_until_now_and_not_until_midnight(risk):
    make_break(ours=None, since=timezone.now() - timedelta(hours=1))
    risk.post("/admin/trading/dailyreport/make/")
    row = DailyReport.objects.get()
    (found,) = row.content["accounts"][0]["breaks"]
    assert 3600 <= found["age_seconds"] < 3700
    page = risk.get(f"/admin/trading/dailyreport/{row.day}/change/").content.decode()
    assert "ours unknown, the venue&#x27;s 0, " in page
