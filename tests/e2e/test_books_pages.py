"""The pages of the books in a browser: portfolio, reconciliation, a break, reports, with money of every kind."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.e2e.conftest import DESKTOP, PHONE
from trading.domain.actors import system_actor
from trading.execution.daily_reports import make_report
from trading.models import Balance, Break, DailyReport, EquitySnapshot, Movement, SyncRun
from trading.queries.equity import trading_day


def fill_the_books(day) -> Break:
    now, account = timezone.now(), day.account
    for number, (asset, kind, quantity, value) in enumerate(
        [
            ("USDT", "opening", "100000", "100000"),
            ("BTC", "opening", "1.25", "62500"),
            ("USDT", "deposit", "5000.01", "5000.01"),
            ("USDT", "withdrawal", "-250.123456", "-250.12"),
            ("DUSTYTOKEN", "adjustment", "-0.000000000000000001", None),
            ("MX", "fee", "-0.123456789", "-0.31"),
        ]
    ):
        Movement.objects.create(
            account=account, asset=asset, kind=kind, quantity=Decimal(quantity), at=now, booked_at=now,
            value=None if value is None else Decimal(value), reference=f"made-{number}",
        )  # fmt: skip
    for ago, equity in ((3, "99000"), (2, "101500.55"), (1, "98211.07"), (0, "104750.99")):
        EquitySnapshot.objects.create(
            account=account, at=now - timedelta(days=ago, minutes=1), equity=Decimal(equity), cash=Decimal("90000"),
            positions_value=Decimal(equity) - 90000, unpriced=[], exposure=Decimal(0),
            transfers=Decimal(0), peak=Decimal("105000"),
            daily_pnl=Decimal("12.5"),
        )  # fmt: skip
    Balance.objects.filter(asset="USDT").update(drift=Decimal("-12.5"))
    Break.objects.update(state="resolved", resolved_at=now)
    for kind, subject, ours, theirs, value, more in (
        ("balance", "USDT", "104750", "104737.5", "-12.5", {"is_beyond": True}),
        ("position", "BTC/USDT", "0.5", "0.4999", "-5", {"symbol": "BTC/USDT", "is_beyond": True, "seen_count": 12}),
        ("order", "lv1abcdefghijklmnopqrstuvwx", "0.01", "0", "-500",
         {"state": "acknowledged", "owner": "rita", "reason": "asked the venue", "symbol": "BTC/USDT"}),
        ("fill", "505177944494440448X1", None, "0.0000123456789", None, {"is_beyond": True}),
    ):  # fmt: skip
        row = Break.objects.create(
            account=account, kind=kind, subject=subject, ours=None if ours is None else Decimal(ours),
            theirs=Decimal(theirs), value=None if value is None else Decimal(value), since=now - timedelta(hours=2),
            last_seen_at=now, detail={"note": "the position that is stored, and the sum of its fills"}, **more,
        )  # fmt: skip
    for number, (complete, verdict, error) in enumerate(
        [
            (True, "equal", ""),
            (True, "moving", ""),
            (False, "", "mexc did not answer within 10 s: /api/v3/account"),
        ]
    ):
        at = now - timedelta(seconds=10 * number)
        SyncRun.objects.create(
            account=account, trigger="beat", started_at=at, finished_at=at + timedelta(seconds=1),
            is_complete=complete, balances=verdict, error=error, fills_booked=number, breaks_open=4,
        )  # fmt: skip
    make_report(trading_day(), actor=system_actor("tests"))
    return row


@pytest.mark.parametrize(("theme", "size"), [("light", DESKTOP), ("dark", PHONE)], ids=["desktop", "phone"])
def test_the_books_fit_their_screen_and_can_be_used_by_everybody(day, people, visit, theme, size):
    row = fill_the_books(day)
    pages = {
        "portfolio": "/admin/trading/equitysnapshot/portfolio/",
        "reconciliation": "/admin/trading/break/overview/",
        "break": reverse("admin:trading_break_change", args=[row.pk]),
        "daily-report": reverse("admin:trading_dailyreport_change", args=[DailyReport.objects.get().pk]),
        "daily-reports": reverse("admin:trading_dailyreport_changelist"),
    }
    problems = {}
    with visit(people["risk"], theme=theme, size=size) as tab:
        for name, path in pages.items():
            tab.open(path)
            tab.sees("#lv-strip")
            found = [f"{tab.overflow()} px too wide"] if tab.overflow() > 0 else []
            problems |= {name: found} if (found := [*found, *tab.violations()]) else {}
            tab.shoot(f"books-{name}-{theme}-{size[0]}")
    assert problems == {}
