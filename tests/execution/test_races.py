"""Races of intake, approval and dispatch, scripted: who waits for whom is arranged, never left to chance."""

from __future__ import annotations

import threading

import pytest

from tests.making import (
    CLIENT,
    PERSON,
    Parallel,
    World,
    begin,
    fresh,
    run_together,
    status_of,
    wait_until,
    wait_until_blocked,
)
from trading.domain.enums import HaltScope, OrderOrigin
from trading.domain.errors import RequestInProgress
from trading.execution import approval, dispatch, halts, intake
from trading.execution.cancellation import request_cancel
from trading.execution.dispatch import dispatch_order
from trading.execution.halts import engage
from trading.execution.intake import submit
from trading.models import AuditEntry, Order, OrderAttempt, Signal

BODY = {"symbol": "BTC/USDT", "side": "BUY", "quantity": "0.01"}


def send(key: str, **changes):
    return submit({**BODY, **changes}, actor=CLIENT, key=key, origin=OrderOrigin.SIGNAL)


class Hold:
    """Stops the first caller of a function at its end until told to go on; the others pass."""

    def __init__(self, monkeypatch, module, name: str) -> None:
        original, self.reached, self.go = getattr(module, name), threading.Event(), threading.Event()

        def held(*args, **kwargs):
            result = original(*args, **kwargs)
            if not self.reached.is_set():
                self.reached.set()
                assert self.go.wait(15)
            return result

        monkeypatch.setattr(module, name, held)


def overlap(monkeypatch, first, second) -> list[Order]:
    """The first has gathered its facts and not committed when the second begins."""
    hold = Hold(monkeypatch, approval, "gather_facts")
    one = begin(first)
    assert hold.reached.wait(15)
    two = begin(second)
    wait_until_blocked(two)
    hold.go.set()
    answers = [one.end(), two.end()]
    for answer in answers:
        assert not isinstance(answer, Exception), answer
    return [fresh(answer.order) for answer in answers]


@pytest.mark.parametrize(
    ("limits", "bodies", "code"),
    [
        ({"exposure_limit_symbol": "800"}, ({}, {}), "exposure_symbol"),
        ({"exposure_limit_total": "800"}, ({}, {"symbol": "ETH/USDT", "quantity": "0.2"}), "exposure_total"),
        (
            {"max_concurrent_positions": 1},
            ({}, {"symbol": "ETH/USDT", "quantity": "0.1"}),
            "max_concurrent_positions",
        ),
        ({"max_open_orders": 1}, ({}, {}), "max_open_orders"),
        ({"max_orders_per_minute": 1}, ({}, {}), "max_orders_per_minute"),
        ({"duplicate_window_seconds": "60"}, ({}, {}), "duplicate_order"),
        ({}, ({"quantity": "1.5"}, {"quantity": "1.5"}), "insufficient_balance"),
    ],
)
def test_of_two_that_only_together_break_a_limit_one_passes(
    live_world: World, monkeypatch, limits, bodies, code
):
    live_world.change_limits(**limits)
    first, second = overlap(
        monkeypatch, lambda: send("first", **bodies[0]), lambda: send("second", **bodies[1])
    )
    assert (first.status, second.status) == ("approved", "denied")
    assert second.decision.codes == [code]


def test_a_repeat_waits_for_the_first_and_gets_its_answer(live_world: World, monkeypatch):
    first, again = overlap(monkeypatch, lambda: send("key"), lambda: send("key"))
    assert first == again
    assert (Signal.objects.count(), Order.objects.count()) == (1, 1)


def test_eight_repeats_at_once_make_one_intent(live_world: World):
    barrier = threading.Barrier(8)

    def step():
        barrier.wait()
        return send("key")

    answers = run_together(*[step] * 8)
    assert all(answer.answer == answers[0].answer for answer in answers)
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 7
    assert (Signal.objects.count(), Order.objects.count()) == (1, 1)
    dispatch_order(Order.objects.get().id)
    assert len(live_world.venue.orders()) == 1


def test_a_repeat_that_cannot_wait_is_told_so_and_writes_nothing(live_world: World, monkeypatch):
    monkeypatch.setattr(intake, "REPEAT_WAIT_MS", 50)
    hold = Hold(monkeypatch, approval, "gather_facts")
    first = begin(lambda: send("key"))
    assert hold.reached.wait(15)
    entries = AuditEntry.objects.count()
    with pytest.raises(RequestInProgress):
        send("key")
    assert (Signal.objects.count(), Order.objects.count(), AuditEntry.objects.count()) == (0, 0, entries)
    hold.go.set()
    assert first.end().answer == send("key").answer


def test_two_dispatchers_of_one_order_send_one_request(live_world: World, monkeypatch):
    order = live_world.approve()
    barrier, take = threading.Barrier(4), dispatch._take_permit

    def together(*args):
        barrier.wait()
        return take(*args)

    monkeypatch.setattr(dispatch, "_take_permit", together)
    outcomes = run_together(*[lambda: dispatch_order(order.id)] * 4)
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert len(live_world.placements()) == 1
    assert OrderAttempt.objects.filter(order=order).count() == 1
    assert status_of(order) == "open"


def test_a_permit_waits_for_an_engagement_and_then_is_none(live_world: World, monkeypatch):
    order = live_world.approve()
    engaging = Hold(monkeypatch, halts, "_write_change")
    stopper = begin(lambda: engage(HaltScope.EVERYTHING, reason="test", actor=PERSON))
    assert engaging.reached.wait(15)
    halts.settings.STOP_FLAG.unlink()  # another host has no such file
    sender = begin(lambda: dispatch_order(order.id))
    wait_until_blocked(sender)
    assert sender.is_alive(), "the permit did not wait for the engagement"
    engaging.go.set()
    assert stopper.end().in_flight == [] and sender.end() is None
    assert status_of(order) == "lapsed" and live_world.placements() == []


def test_an_engagement_waits_for_a_permit_that_is_being_written(live_world: World, monkeypatch):
    order = live_world.approve()
    permitting = Hold(monkeypatch, dispatch, "_claim")
    sender = begin(lambda: dispatch_order(order.id))
    assert permitting.reached.wait(15)
    stopper = begin(lambda: engage(HaltScope.ACCOUNT, "paper", reason="test", actor=PERSON, cancel=None))
    wait_until_blocked(stopper)
    assert stopper.is_alive() and status_of(order) == "approved"
    permitting.go.set()
    assert sender.end() is not None
    engagement = stopper.end()
    assert engagement.drained and len(live_world.placements()) == 1
    # What was sent before the halt is named or already known.
    assert status_of(order) == "open" or engagement.in_flight == [order.client_order_id]


def test_forty_rings_for_one_order_are_one_request(live_world: World):
    order = live_world.approve()
    barrier = threading.Barrier(4)

    def ring_again_and_again():
        barrier.wait()
        for _ in range(10):
            dispatch_order(order.id)

    assert run_together(*[ring_again_and_again] * 4) == [None] * 4
    assert len(live_world.placements()) == 1 and status_of(order) == "open"


def test_two_cancels_at_once_are_one_request_in_the_books(live_world: World):
    order = live_world.rest()
    run_together(*[lambda: request_cancel(order.id, actor=PERSON)] * 3)
    assert fresh(order).cancel_state == "requested"


def test_the_scripts_see_a_thread_that_ended_without_waiting(live_world: World):
    thread: Parallel = begin(lambda: "done")
    wait_until_blocked(thread)
    wait_until(lambda: not thread.is_alive(), "the end")
    assert thread.end() == "done"
