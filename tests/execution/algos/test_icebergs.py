"""Iceberg: one small order in the book at a time."""

from __future__ import annotations

from decimal import Decimal

from tests.execution.algos.walking import (
    ICEBERG,
    TWAP,
    children,
    fresh,
    pass_seconds,
    quantities,
    run_slice,
    settle,
    start,
    step,
)
from tests.making import PERSON, World
from trading.domain.algo_moves import Change, Make, Wait
from trading.domain.enums import HaltScope
from trading.execution.algos import resume_algo
from trading.execution.cancellation import request_cancel, send_cancel
from trading.execution.following import follow_order
from trading.execution.halts import engage
from trading.models import Alert, Order


def fill_at_venue(world: World, algo) -> None:
    order = children(algo)[-1]
    world.venue.fill(order.exchange_order_id, str(order.quantity))
    settle(algo)


def test_an_iceberg_shows_one_part_at_a_time_until_all_is_filled(world: World):
    algo = start(ICEBERG)
    for _ in range(3):
        assert isinstance(run_slice(algo), Make)
        assert isinstance(step(algo), Wait)
        assert len([order for order in children(algo) if order.status == "open"]) == 1
        fill_at_venue(world, algo)
    assert isinstance(step(algo), Change)
    assert fresh(algo).state == "completed"
    assert quantities(algo) == [Decimal("0.02"), Decimal("0.02"), Decimal("0.01")]
    assert world.position() == Decimal("0.05")


def test_a_child_that_somebody_canceled_pauses_it(world: World):
    algo = start(ICEBERG)
    run_slice(algo)
    child = children(algo)[0]
    request_cancel(child.pk, actor=PERSON)
    send_cancel(child.pk)
    follow_order(child.pk)
    step(algo)
    assert fresh(algo).state == "paused"
    assert "not by this algo" in fresh(algo).state_reason
    assert len(children(algo)) == 1
    alert = Alert.objects.get(subject__startswith="Paused: ICEBERG")
    resume_algo(algo.pk, actor=PERSON)
    alert.refresh_from_db()
    assert alert.acknowledged_by.startswith("algo.resumed")


def test_a_child_of_a_schedule_that_somebody_takes_out_unsent_pauses_it(world: World):
    algo = start(TWAP)
    step(algo)
    request_cancel(children(algo)[0].pk, actor=PERSON)
    pass_seconds(algo, 60)
    step(algo)
    assert fresh(algo).state == "paused" and "not by this algo" in fresh(algo).state_reason
    assert [child.status for child in children(algo)] == ["lapsed"] and world.placements() == []


def test_the_last_fill_of_a_paused_algo_ends_its_alert(world: World):
    algo = start(ICEBERG)
    run_slice(algo)
    engage(HaltScope.ACCOUNT, "paper", reason="test", actor=PERSON, cancel=None)
    step(algo)
    child = children(algo)[0]
    Order.objects.filter(pk=child.pk).update(status="filled", filled_quantity=algo.quantity)
    step(algo)
    assert fresh(algo).state == "completed"
    assert Alert.objects.get(subject__startswith="Paused: ICEBERG").acknowledged_by.startswith(
        "algo.completed"
    )


def test_at_its_deadline_what_rests_is_withdrawn_and_the_rest_reported(world: World):
    algo = start(ICEBERG, duration_seconds=300)
    run_slice(algo)
    pass_seconds(algo, 301)
    step(algo)
    assert children(algo)[0].cancel_state == "requested"
    send_cancel(children(algo)[0].pk)
    follow_order(children(algo)[0].pk)
    step(algo)
    assert fresh(algo).state == "expired"
    assert world.venue.orders()[0]["status"] == "CANCELED"
