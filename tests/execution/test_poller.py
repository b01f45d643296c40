"""The poller: what no bell announced is found by its row, claimed once and advanced by its status."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from tests.making import World, fresh, let_time_pass, run_together, status_of
from trading.execution import poller
from trading.execution.dispatch import dispatch_order
from trading.execution.poller import poll_once
from trading.models import Order


def due(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(next_action_at=timezone.now() - timedelta(milliseconds=1))


def test_an_order_whose_bell_was_lost_goes_all_the_way(live_world: World, dead_broker):
    order = live_world.approve()
    assert poll_once() == 0  # the bell still has half a second
    for _ in range(3):
        due(order)
        poll_once()
    assert status_of(order) == "filled" and live_world.position() == live_world.position_at_venue()
    assert len(live_world.placements()) == 1


def test_nothing_due_is_nothing_done(world: World):
    world.rest()
    Order.objects.update(next_action_at=timezone.now() + timedelta(minutes=1))
    asked = len(world.venue.requests())
    assert poll_once() == 0 and len(world.venue.requests()) == asked


def test_a_due_order_is_claimed_by_one_poller(live_world: World, monkeypatch):
    def dispatch_and_rest(order_id):  # so that a slow machine does not find it due a second time
        dispatch_order(order_id)
        Order.objects.filter(pk=order_id).update(next_action_at=timezone.now() + timedelta(hours=1))

    monkeypatch.setattr(poller, "advance_order", dispatch_and_rest)
    monkeypatch.setattr(poller, "_CLAIM", timedelta(hours=1))
    orders = [live_world.approve(price=str(49000 - number)) for number in range(4)]
    for order in orders:
        due(order)
    claimed = run_together(poll_once, poll_once, poll_once)
    assert sum(claimed) == 4
    assert len(live_world.placements()) == 4
    assert {status_of(order) for order in orders} == {"open"}


def test_a_lease_that_is_over_is_found(world: World, monkeypatch):
    order = world.approve(price="49000")
    with monkeypatch.context() as patch:
        patch.setattr("trading.execution.dispatch.record_outcome", lambda *_: None)
        dispatch_order(order.id)
    assert poll_once() == 0 and status_of(order) == "submitting"
    let_time_pass(order, 21)
    poll_once()
    assert status_of(order) == "in_doubt"
    let_time_pass(order, 5)
    poll_once()
    assert status_of(order) == "open"


def test_one_orders_trouble_does_not_stop_the_others(world: World, monkeypatch):
    bad, good = world.approve(price="49000"), world.approve(price="48900")
    for order in (bad, good):
        due(order)
    advance = poller.advance_order

    def stumble(order_id):
        if order_id == bad.id:
            raise ValueError("a defect")
        advance(order_id)

    monkeypatch.setattr(poller, "advance_order", stumble)
    assert poll_once() == 2
    assert (status_of(bad), status_of(good)) == ("approved", "open")
    assert fresh(bad).next_action_at > timezone.now()  # tried again, not at once


def test_a_requested_cancel_is_sent_by_the_poller(world: World):
    order = world.rest()
    Order.objects.filter(pk=order.pk).update(cancel_state="requested")
    due(order)
    poll_once()
    assert status_of(order) == "canceled"
