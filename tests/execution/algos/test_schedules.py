"""TWAP and VWAP: a quantity over time, child by child, each of them an ordinary order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.execution.algos.walking import (
    TWAP,
    VWAP,
    children,
    fresh,
    pass_seconds,
    quantities,
    run_slice,
    settle,
    start,
    step,
)
from tests.making import World
from trading.domain.algo_moves import Change, Make, Wait
from trading.execution.algos import children as making
from trading.models import AuditEntry, Instrument, Order

TWAP_CHILD = {"account": "paper", "side": "BUY", "quantity": "0.01"}


def test_a_twap_orders_its_slices_in_equal_parts_and_is_completed(world: World):
    algo = start(TWAP)
    for _ in range(4):
        assert isinstance(run_slice(algo), Make)
        assert isinstance(step(algo), (Wait, Change))
        pass_seconds(algo, 100)
    assert fresh(algo).state == "completed"
    assert quantities(algo) == [Decimal("0.01")] * 4
    assert world.position() == world.position_at_venue() == Decimal("0.04")
    assert {order.origin for order in children(algo)} == {"algo"}
    kinds = AuditEntry.objects.filter(object_id=str(algo.pk)).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["algo.started", *["algo.child"] * 4, "algo.completed"]


def test_a_vwap_orders_in_proportion_of_its_profile_and_skips_an_empty_slice(world: World):
    algo = start(VWAP, quantity="0.08")
    made = []
    for _ in range(4):
        made.append(type(run_slice(algo)))
        pass_seconds(algo, 100)
    assert made == [Make, Make, Wait, Make]
    assert quantities(algo) == [Decimal("0.01"), Decimal("0.03"), Decimal("0.04")]
    step(algo)
    assert fresh(algo).state == "completed"


def test_what_an_outage_missed_is_caught_up_by_twice_a_slice_at_most(world: World):
    algo = start(TWAP)
    pass_seconds(algo, 210)  # nobody ran while two slices came and a third began
    run_slice(algo)
    assert quantities(algo) == [Decimal("0.02")]
    pass_seconds(algo, 100)
    run_slice(algo)
    assert quantities(algo) == [Decimal("0.02"), Decimal("0.02")]
    step(algo)
    assert fresh(algo).state == "completed"


def test_what_is_left_when_the_time_is_over_is_reported_and_not_dumped(world: World):
    algo = start(TWAP)
    run_slice(algo)
    pass_seconds(algo, 500)
    assert isinstance(step(algo), Change)
    row = fresh(algo)
    assert row.state == "expired" and row.state_reason == "0.01 of 0.04 filled"
    assert len(world.placements()) == 1
    assert step(algo) is None


def test_an_algo_with_a_price_takes_what_is_there_at_it_or_better(world: World):
    algo = start(TWAP, price="50100")
    run_slice(algo)
    child = children(algo)[0]
    assert (child.order_type, child.time_in_force, child.price) == ("LIMIT", "IOC", Decimal(50100))
    assert child.status == "filled"


def test_no_child_is_sent_while_the_market_is_beyond_the_price(world: World):
    algo = start(TWAP, price="49900")
    move = run_slice(algo)
    assert isinstance(move, Wait) and move.why == "the market is beyond its price"
    assert fresh(algo).waiting_for == "the market is beyond its price"
    assert world.placements() == [] and children(algo) == []


def test_a_child_that_was_denied_is_tried_again_after_a_while_and_then_a_person_is_asked(world: World):
    algo = start(TWAP)
    world.change_limits(allowed_symbols=["ETH/USDT"])
    for attempt in range(5):
        assert isinstance(run_slice(algo), Make), attempt
        assert isinstance(step(algo), (Wait, Change))
        pass_seconds(algo, 60 if attempt < 1 else 0)
        Order.objects.filter(algo_child__algo=algo).update(
            finished_at=children(algo)[0].created_at.replace(year=2020)
        )
    row = fresh(algo)
    assert row.state == "paused" and "symbol_not_allowed" in row.state_reason
    assert [order.status for order in children(algo)] == ["denied"] * 5
    assert world.placements() == []


def test_a_child_that_cannot_even_be_asked_for_pauses_it(world: World, monkeypatch):
    algo = start(TWAP)
    monkeypatch.setattr(making, "child_body", lambda row, quantity: {**TWAP_CHILD, "symbol": "NOPE/USDT"})
    run_slice(algo)
    row = fresh(algo)
    assert row.state == "paused" and row.state_reason.startswith(
        "its child cannot be asked for: Unknown symbol"
    )
    assert children(algo) == [] and world.placements() == []


def test_a_child_in_doubt_counts_in_full_and_holds_nothing_else_back(world: World):
    algo = start(TWAP)
    world.fault("drop_after", count=1)
    run_slice(algo)
    assert children(algo)[0].status in ("in_doubt", "filled")
    Order.objects.filter(pk=children(algo)[0].pk)
    pass_seconds(algo, 100)
    run_slice(algo)
    assert quantities(algo) == [Decimal("0.01"), Decimal("0.01")]


@pytest.mark.parametrize("rest", ["0.000001"])
def test_nothing_is_left_over_by_rounding(world: World, rest: str):
    algo = start(TWAP, quantity="0.040003", slices=3)
    for _ in range(3):
        run_slice(algo)
        pass_seconds(algo, 134)
    settle(algo)
    step(algo)
    assert sum(quantities(algo)) == Decimal("0.040003")
    assert fresh(algo).state == "completed"


def test_after_a_denial_no_child_is_larger_than_the_slice_that_was_asked_about(world: World):
    world.change_limits(max_order_notional="600")
    algo = start(TWAP)
    pass_seconds(algo, 150)  # two slices are due: the first child would be both
    run_slice(algo)
    assert children(algo)[0].status == "denied" and "max_order_notional" in children(algo)[0].status_reason
    pass_seconds(algo, 10)
    run_slice(algo)
    assert [(order.status, order.quantity) for order in children(algo)][1] == ("filled", Decimal("0.01"))
    assert fresh(algo).state == "running"


def test_an_algo_of_which_nothing_was_filled_is_not_completed(world: World):
    algo = start(TWAP)
    Instrument.objects.filter(symbol="BTC/USDT").update(min_notional=10**6, min_notional_market=10**6)
    step(algo)
    row = fresh(algo)
    assert row.state == "expired" and row.state_reason.startswith("nothing filled")
    assert world.placements() == []


def test_an_algo_of_another_mode_is_left_alone(world: World, settings):
    algo = start(TWAP)
    settings.LEVI_MODE = "testnet"
    assert step(algo) is None and children(algo) == []
