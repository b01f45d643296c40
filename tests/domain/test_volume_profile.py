"""Weights of a VWAP: what is usually traded at these times of the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.errors import InvalidInput
from trading.domain.outcomes import CandleReport
from trading.domain.volume_profile import volume_weights

MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
ONE = Decimal(1)


def days(volumes: list[int], count: int = 1) -> list[CandleReport]:
    """96 quarters a day; shorter lists repeat."""
    return [
        CandleReport(
            at := MIDNIGHT + number * QUARTER,
            at + QUARTER,
            ONE,
            ONE,
            ONE,
            ONE,
            Decimal(volumes[number % len(volumes)]),
            ONE,
        )
        for number in range(96 * count)
    ]


def test_a_slice_weighs_what_its_time_of_day_usually_trades():
    candles = days([1, 3])
    weights = volume_weights(candles, starts_at=MIDNIGHT + timedelta(days=30), seconds=3600, slices=4)
    assert weights == (1, 3, 1, 3)


def test_a_slice_takes_its_share_of_a_candle():
    weights = volume_weights(days([10, 30]), starts_at=MIDNIGHT, seconds=900, slices=3)
    assert [round(weight, 9) for weight in weights] == [round(Decimal(10) / 3, 9)] * 3
    (weight,) = volume_weights(days([10, 30]), starts_at=MIDNIGHT + QUARTER / 3, seconds=900, slices=1)
    assert round(weight, 9) == round(Decimal(50) / 3, 9)


def test_the_mean_is_over_the_days_and_midnight_is_no_edge():
    candles = [*days([2]), *(c for c in days([2, 2], 2)[96:])]
    late = MIDNIGHT + timedelta(hours=23, minutes=45)
    assert volume_weights(candles, starts_at=late, seconds=1800, slices=2) == (2, 2)


def test_what_no_candle_covers_is_an_error_and_never_a_guess():
    for candles in ([], days([1])[:50], days([0]), [*days([1]), *hourly()]):
        with pytest.raises(InvalidInput) as caught:
            volume_weights(candles, starts_at=MIDNIGHT, seconds=86_400, slices=3)
        assert caught.value.code == "no_volume_profile"


def hourly() -> list[CandleReport]:
    return [CandleReport(MIDNIGHT, MIDNIGHT + timedelta(hours=1), ONE, ONE, ONE, ONE, ONE, ONE)]


VOLUMES = st.lists(st.integers(0, 10**6), min_size=96, max_size=96).filter(any)
STARTS = st.integers(0, 86_399).map(lambda seconds: MIDNIGHT + timedelta(days=9, seconds=seconds))


@given(VOLUMES, STARTS, st.integers(1, 20), st.randoms())
def test_a_day_adds_up_to_what_a_day_trades_in_any_order_of_the_candles(volumes, starts_at, slices, order):
    candles = days(volumes)
    order.shuffle(candles)
    weights = volume_weights(candles, starts_at=starts_at, seconds=86_400, slices=slices)
    assert len(weights) == slices and min(weights) >= 0
    assert abs(sum(weights) - sum(volumes)) < Decimal("0.001")


@given(VOLUMES, STARTS, st.integers(1, 10))
def test_half_slices_add_up_to_slices(volumes, starts_at, slices):
    candles = days(volumes)
    whole = volume_weights(candles, starts_at=starts_at, seconds=86_400, slices=slices)
    halves = volume_weights(candles, starts_at=starts_at, seconds=86_400, slices=2 * slices)
    for number, weight in enumerate(whole):
        assert abs(weight - halves[2 * number] - halves[2 * number + 1]) < Decimal("0.001")
