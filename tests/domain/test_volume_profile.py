"""Weights of a VWAP: what is usually traded at these times of the day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, reject
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


SLICES = st.integers(1, 20)
SECONDS = st.integers(1, 3 * 86_400)
NEAR = Decimal("1E-9")


def weights_of(candles, starts_at, seconds, slices) -> tuple[Decimal, ...]:
    """None weighs less than nothing; stretches in which nothing was traded are no example."""
    try:
        weights = volume_weights(candles, starts_at=starts_at, seconds=seconds, slices=slices)
    except InvalidInput as error:
        assert error.code == "no_volume_profile"
        reject()
    assert len(weights) == slices and min(weights) >= 0
    return weights


@given(VOLUMES, STARTS, SLICES)
def test_a_day_adds_up_to_what_a_day_trades(volumes, starts_at, slices):
    assert abs(sum(weights_of(days(volumes), starts_at, 86_400, slices)) - sum(volumes)) < NEAR


@given(VOLUMES, STARTS, SECONDS, SLICES, st.randoms())
def test_the_order_of_the_candles_does_not_matter(volumes, starts_at, seconds, slices, order):
    candles = days(volumes, 2)
    weights = weights_of(candles, starts_at, seconds, slices)
    order.shuffle(candles)
    assert weights_of(candles, starts_at, seconds, slices) == weights


@given(VOLUMES, STARTS, SECONDS, SLICES, st.integers(2, 1000))
def test_shares_do_not_depend_on_the_unit(volumes, starts_at, seconds, slices, factor):
    ones = weights_of(days(volumes), starts_at, seconds, slices)
    many = weights_of(days([factor * volume for volume in volumes]), starts_at, seconds, slices)
    for one, of_many in zip(ones, many, strict=True):
        assert abs(one / sum(ones) - of_many / sum(many)) < NEAR


@given(st.integers(1, 10**6), STARTS, SECONDS, SLICES)
def test_an_even_market_weighs_all_slices_alike(volume, starts_at, seconds, slices):
    weights = weights_of(days([volume]), starts_at, seconds, slices)
    assert max(weights) - min(weights) < NEAR
    assert abs(sum(weights) - Decimal(volume * seconds) / 900) < NEAR


@given(VOLUMES, STARTS, SECONDS, SLICES)
def test_half_slices_add_up_to_slices(volumes, starts_at, seconds, slices):
    candles = days(volumes)
    whole = weights_of(candles, starts_at, seconds, slices)
    halves = weights_of(candles, starts_at, seconds, 2 * slices)
    for number, weight in enumerate(whole):
        assert abs(weight - halves[2 * number] - halves[2 * number + 1]) < NEAR
