"""Plans: the last target is the whole quantity, and rounding never adds up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.domain.algo_plans import make_plan, scheduled_by, slice_quantities, spread_evenly
from trading.domain.errors import InvalidInput
from trading.domain.money import round_to_lot

LOTS = st.sampled_from([Decimal(text) for text in ("1", "0.1", "0.001", "0.00000001", "0.5", "25")])
WEIGHTS = st.lists(
    st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=6),
    min_size=1,
    max_size=60,
).filter(lambda weights: sum(weights) > 0)


@given(LOTS, st.integers(1, 10**9), WEIGHTS, st.integers(10, 604_800))
def test_targets_climb_on_the_lot_grid_to_the_whole_quantity(lot, lots, weights, seconds):
    quantity = lot * lots
    plan = make_plan(quantity, weights, seconds=seconds, lot_size=lot)
    targets = [piece.target for piece in plan]
    assert targets == sorted(targets) and targets[-1] == quantity
    assert all(round_to_lot(target, lot) == target for target in targets)
    assert sum(slice_quantities(plan)) == quantity and min(slice_quantities(plan)) >= 0
    total, so_far = sum(weights), Decimal(0)
    for piece, weight in zip(plan[:-1], weights, strict=False):
        so_far += weight
        share = quantity * so_far / total
        assert share - lot - Decimal("1e-6") <= piece.target <= share + Decimal("1e-6")


@given(LOTS, st.integers(1, 10**6), st.integers(1, 500), st.integers(10, 604_800))
def test_an_even_plan_is_even_to_one_lot_and_begins_at_once(lot, lots, slices, seconds):
    plan = make_plan(lot * lots, spread_evenly(slices), seconds=seconds, lot_size=lot)
    parts = slice_quantities(plan)
    assert len(plan) == slices and max(parts) - min(parts) <= lot
    begins = [piece.after for piece in plan]
    assert begins[0] == 0 and begins == sorted(set(begins)) and begins[-1] < seconds
    assert plan == make_plan(lot * lots, spread_evenly(slices), seconds=seconds, lot_size=lot)


@given(WEIGHTS, st.decimals(min_value=-10, max_value=700_000, places=3))
def test_what_is_scheduled_never_shrinks_as_the_clock_goes_on(weights, elapsed):
    plan = make_plan(Decimal(1000), weights, seconds=600_000, lot_size=Decimal(1))
    before, now = scheduled_by(plan, elapsed), scheduled_by(plan, elapsed + 1)
    assert 0 <= before <= now <= 1000
    assert elapsed >= 0 or before == 0


@pytest.mark.parametrize("weights", [[], ["0", "0"], ["1", "-1"], ["NaN"], ["Infinity", "1"]])
def test_weights_that_say_nothing_are_refused(weights):
    with pytest.raises(InvalidInput):
        make_plan(Decimal(1), [Decimal(one) for one in weights], seconds=60, lot_size=Decimal("0.1"))


def test_weights_that_are_tiny_are_weights():
    tiny = [Decimal("1e-18"), Decimal("2e-18"), Decimal("1e-18")]
    plan = make_plan(Decimal("0.004"), tiny, seconds=30, lot_size=Decimal("0.001"))
    assert slice_quantities(plan) == [Decimal("0.001"), Decimal("0.002"), Decimal("0.001")]
