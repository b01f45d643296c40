"""The points of the drawn lines: the last of each span, never half of an installation, halts where they were."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.admin.trading_day import make_account
from trading.models import EquitySnapshot, HaltChange
from trading.queries.equity import read_halt_spans
from trading.queries.pictures import RANGES, read_curve, read_latencies, read_results
from trading.queries.valuation import day_start

pytestmark = pytest.mark.django_db
# Yesterday's, so that it is over at whatever hour the tests run.
NOON = day_start() - timedelta(hours=12)


def snap(account, at, equity: str, pnl: str | None = None) -> None:
    zero = Decimal(0)
    EquitySnapshot.objects.create(
        account=account,
        at=at,
        equity=Decimal(equity),
        cash=zero,
        positions_value=zero,
        exposure=zero,
        daily_pnl=Decimal(pnl) if pnl else None,
    )


def change(after: str, at) -> None:
    HaltChange.objects.create(
        id=uuid4(), scope="everything", before="active", after=after, reason="why", trigger="manual", actor="a",
        epoch=1, at=at,
    )  # fmt: skip


def test_the_curve_is_the_sum_of_all_accounts_at_instants_where_all_are_known():
    one, two = make_account("one"), make_account("two", is_default=False)
    snap(one, NOON - timedelta(hours=2), "100")
    snap(one, NOON - timedelta(minutes=1), "110")
    snap(two, NOON - timedelta(minutes=1), "50")
    assert [point.equity for point in read_curve(NOON)] == [Decimal(160)]


def test_the_curve_begins_with_the_first_minutes_of_an_installation():
    account = make_account("one")
    for seconds in range(0, 120, 10):
        snap(account, NOON - timedelta(seconds=seconds), str(100 + seconds))
    found = read_curve(NOON)
    assert [point.at for point in found] == sorted(point.at for point in found)
    assert len(found) == 4, "a point for each half minute"
    assert found[-1].equity == Decimal(100)


def test_a_longer_range_reaches_further_back():
    account = make_account("one")
    snap(account, NOON - timedelta(days=6), "90")
    snap(account, NOON, "100")
    assert [p.equity for p in read_curve(NOON)] == [Decimal(100)]
    assert [p.equity for p in read_curve(NOON, RANGES["week"])] == [Decimal(90), Decimal(100)]


def test_a_days_result_is_its_last_word_and_days_before_the_first_are_left_out():
    account = make_account("one")
    snap(account, NOON - timedelta(days=2), "100", "3")
    snap(account, NOON - timedelta(days=2) + timedelta(hours=1), "100", "5")
    snap(account, NOON, "100", "-1")
    assert [row.pnl for row in read_results(NOON)] == [Decimal(5), None, Decimal(-1)]


def test_halts_are_spans_with_an_end_or_without():
    for after, hours in (("halted", 9), ("active", 8), ("reducing", 3), ("halted", 2)):
        change(after, NOON - timedelta(hours=hours))
    spans = read_halt_spans(NOON - timedelta(hours=10))
    assert [(span.state, span.until is None) for span in spans] == [
        ("halted", False),
        ("reducing", False),
        ("halted", True),
    ]
    assert [span.state for span in read_halt_spans(NOON - timedelta(hours=1))] == ["halted"], (
        "one that began before"
    )


def test_an_empty_installation_draws_nothing_and_asks_little():
    with CaptureQueriesContext(connection) as asked:
        now = timezone.now()
        assert (read_curve(now), read_results(now), read_latencies(), read_halt_spans(now)) == (
            [],
            [],
            [],
            [],
        )
    assert len(asked) == 5
