"""Pictures of algos stay small however long an algo is, and lose nothing of its sums."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from trading.admin.algo_pictures import (
    MOST_BARS,
    MOST_FILLS,
    MOST_PLACES,
    prices_chart,
    schedule_chart,
    slices_chart,
)
from trading.domain.enums import AlgoKind, AlgoState, Side
from trading.models import Algo, Instrument
from trading.queries.algos import AlgoCurves, AlgoFill

NOW = timezone.now()
SLICES = 500
ONE = Decimal(1)


def longest_algo() -> Algo:
    return Algo(
        kind=AlgoKind.TWAP,
        side=Side.BUY,
        state=AlgoState.COMPLETED,
        instrument=Instrument(symbol="BTC/USDT", base_asset="BTC", quote_asset="USDT"),
        quantity=Decimal(SLICES),
        plan=[{"after": str(60 * number), "target": str(number + 1)} for number in range(SLICES)],
        start_at=NOW - timedelta(hours=10),
        duration_seconds=60 * SLICES,
        finished_at=NOW,
        state_since=NOW,
    )


def fills() -> list[AlgoFill]:
    begin = NOW - timedelta(hours=10)
    return [
        AlgoFill(
            begin + timedelta(seconds=20 * number),
            ONE / 4,
            Decimal(100 + number % 7),
            Decimal(25 + number % 3),
        )
        for number in range(3 * SLICES)
    ]


def test_the_lines_of_five_hundred_slices_are_thinned_and_end_where_they_end():
    algo, made = longest_algo(), fills()
    schedule = [(algo.start_at + timedelta(minutes=number), Decimal(number + 1)) for number in range(SLICES)]
    achieved = [(fill.at, ONE * (number + 1) / 3) for number, fill in enumerate(made)]
    progress: Any = SimpleNamespace(filled=algo.quantity, scheduled=algo.quantity)
    chart = schedule_chart(algo, AlgoCurves(schedule, achieved), progress, NOW)
    assert len(chart.places) <= MOST_PLACES + 10
    planned, done = chart.series
    assert planned.values[-1] == SLICES and done.values[-1] == achieved[-1][1]


def test_many_fills_are_the_last_ones_with_the_average_of_all():
    made = fills()
    chart = prices_chart(longest_algo(), made, NOW)
    dots, average = chart.series
    assert len([value for value in dots.values if value is not None]) == MOST_FILLS
    assert chart.title == f"What the last {MOST_FILLS} fills paid"
    assert average.values[-1] == sum(fill.notional for fill in made) / sum(fill.quantity for fill in made)


def test_many_slices_share_a_bar_and_add_up():
    algo = longest_algo()
    children: Any = [
        SimpleNamespace(slice=number, order=SimpleNamespace(filled_quantity=ONE)) for number in range(SLICES)
    ]
    chart = slices_chart(algo, children)
    planned, achieved = chart.series
    assert len(chart.places) <= MOST_BARS and chart.places[0] == "1-9" and chart.places[-1] == "496-500"
    assert sum(planned.values) == sum(achieved.values) == SLICES
