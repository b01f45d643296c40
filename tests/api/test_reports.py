"""A daily report is made over the API by who may sign it, and not of a day that has not begun."""

from __future__ import annotations

from datetime import timedelta

import pytest

from trading.models import AuditEntry, DailyReport
from trading.queries.equity import trading_day


@pytest.fixture(autouse=True)
def own_home(settings, tmp_path):
    settings.HOME_DIR = tmp_path


def test_it_is_made_read_and_signed_over_the_api(world, as_role):
    risk = as_role("risk")
    day = (trading_day() - timedelta(days=1)).isoformat()
    made = risk.post("/api/v1/reports", {"day": day})
    assert made.status_code == 200 and made.json()["day"] == day and made.json()["signed_by"] == ""
    again = risk.post("/api/v1/reports", {"day": day})
    assert again.json()["digest"] == made.json()["digest"]
    signed = risk.post(f"/api/v1/reports/{day}/sign", {"digest": made.json()["digest"], "note": "read"})
    assert signed.status_code == 200 and signed.json()["signed_by"]
    assert AuditEntry.objects.filter(kind="report.made").count() == 1


def test_a_day_that_has_not_begun_has_no_report(world, as_role):
    day = (trading_day() + timedelta(days=1)).isoformat()
    answer = as_role("risk").post("/api/v1/reports", {"day": day})
    assert answer.status_code == 400 and "has not begun" in answer.json()["message"]
    assert as_role("risk").post("/api/v1/reports", {}).status_code == 400
    assert not DailyReport.objects.exists()
