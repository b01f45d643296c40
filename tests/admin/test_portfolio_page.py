"""The portfolio in pictures: the curve with its halts and ranges, each day's result, and balances free and locked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from trading.admin.room_charts import results_chart
from trading.models import Break, EquitySnapshot, Position
from trading.queries.pictures import DayResult


@pytest.fixture
def page(day, browse):
    EquitySnapshot.objects.create(
        account=day.account,
        at=day.now - timedelta(days=3),
        equity=Decimal(11900),
        cash=Decimal(9000),
        positions_value=Decimal(2900),
        exposure=Decimal(2900),
        daily_pnl=Decimal("41.5"),
    )
    return browse("viewer").get(reverse("admin:trading_equitysnapshot_portfolio"), {"range": "week"})


def chart_of(page, key):
    return next(part for part in page.context["page"].sections if getattr(part, "key", "") == key)


def test_the_curve_is_drawn_with_the_halts_on_it(page):
    drawn = chart_of(page, "equity").payload
    assert drawn["series"][0]["values"][0] == 11900 and drawn["series"][0]["values"][-1] == 11913
    (band,) = drawn["bands"]
    assert band["label"] == "halted: Venue trouble" and band["until"] > band["since"] > drawn["places"][0]


def test_the_range_of_the_curve_is_a_click(page, browse):
    assert '<a href="?range=week" aria-current="true">Week</a>' in page.content.decode()
    other = browse("viewer").get(page.request["PATH_INFO"], {"range": "nonsense"})
    assert other.status_code == 200 and chart_of(other, "equity").title == "Equity today"


def test_every_day_has_a_bar_with_its_result(page):
    drawn = chart_of(page, "results").payload
    gain, loss = (series["values"] for series in drawn["series"])
    assert (gain[0], loss[0], loss[-1]) == (41.5, None, -87)


def test_the_days_name_the_same_result_as_their_bars_and_the_strip(page):
    table = next(part for part in page.context["page"].sections if part.title == "Days")
    assert ">−87.00<" in str(table.rows[0][-1])


def test_a_day_is_called_as_where_it_begins_whatever_the_clocks_did_since(settings):
    books = replace(settings.LEVI_CONFIG.books, day_time_zone="Europe/Berlin")
    settings.LEVI_CONFIG = replace(settings.LEVI_CONFIG, books=books)
    summer, winter = datetime(2026, 7, 1, 22, tzinfo=UTC), datetime(2026, 11, 1, 22, tzinfo=UTC)
    drawn = results_chart([DayResult(summer, Decimal(1)), DayResult(winter, Decimal(2))])
    assert list(drawn.places) == ["07-02", "11-02"]


def test_a_balance_says_what_is_free_and_what_is_locked(page):
    table = next(part for part in page.context["page"].sections if part.title == "Balances of paper")
    line = next(row for row in table.lines if "USDT" in row[0][0])
    said = {column: str(cell) for cell, column, _ in line}
    assert "8398.162995" in said["Free"] and "512.4" in said["Locked"] and "8910.562995" in said["Total"]


def test_pages_whose_numbers_move_are_looked_at_again_while_they_are_open(day, browse):
    """The strip says “Live” on each of them."""
    urls = (
        reverse("admin:trading_equitysnapshot_portfolio"),
        reverse("admin:trading_break_overview"),
        reverse("admin:trading_position_change", args=[Position.objects.first().pk]),
        reverse("admin:trading_break_change", args=[Break.objects.get().pk]),
        reverse("admin:trading_exchangeaccount_change", args=[day.account.pk]),
        reverse("admin:trading_limitsversion_changelist"),
    )
    client = browse("viewer")
    pages = {url: client.get(url).content.decode() for url in urls}
    live = re.compile(r'id="(detail-main|limits-now)" data-live="swap"')
    assert [url for url, page in pages.items() if not live.search(page)] == []
