"""Pause, resume, cancel, and what a halt does to an algo."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

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
from trading.domain.algo_moves import Make, Wait
from trading.domain.enums import CancelScope, HaltScope
from trading.domain.errors import InvalidInput, StaleDecision, UnknownName
from trading.execution.algos import cancel_algo, pause_algo, resume_algo
from trading.execution.algos.children import make_child
from trading.execution.cancellation import cancel_all, send_cancel
from trading.execution.flatten import flatten, flatten_payload
from trading.execution.following import follow_order
from trading.execution.halts import engage, release
from trading.models import Alert


def withdraw_at_venue(algo) -> None:
    for order in children(algo):
        if order.status in ("open", "partially_filled"):
            send_cancel(order.pk)
            follow_order(order.pk)


def halt(scope: HaltScope = HaltScope.EVERYTHING, target: str = "") -> None:
    engage(scope, target, reason="test", actor=PERSON, cancel=None)


def test_a_paused_algo_makes_no_child_and_rests_nothing_at_the_venue(world: World):
    algo = start(ICEBERG)
    run_slice(algo)
    pause_algo(algo.pk, reason="look first", actor=PERSON)
    assert children(algo)[0].cancel_state == "requested"
    withdraw_at_venue(algo)
    pass_seconds(algo, 1000)
    assert isinstance(step(algo), Wait)
    row = fresh(algo)
    assert (row.state, row.state_reason, row.next_action_at) == ("paused", "look first", None)
    assert len(children(algo)) == 1


def test_resuming_moves_the_rest_of_the_schedule_by_the_length_of_the_pause(world: World):
    algo = start(TWAP)
    run_slice(algo)
    pause_algo(algo.pk, actor=PERSON)
    pass_seconds(algo, 1000)
    resume_algo(algo.pk, actor=PERSON)
    assert isinstance(run_slice(algo), Wait), "its clock stood: the second slice is not due"
    pass_seconds(algo, 100)
    assert isinstance(run_slice(algo), Make)
    assert quantities(algo) == [Decimal("0.01"), Decimal("0.01")]


def test_a_canceled_algo_ends_when_nothing_of_it_is_alive(world: World):
    algo = start(ICEBERG)
    run_slice(algo)
    cancel_algo(algo.pk, actor=PERSON)
    step(algo)
    assert fresh(algo).state == "canceling"
    withdraw_at_venue(algo)
    step(algo)
    assert fresh(algo).state == "canceled" and fresh(algo).state_reason == "0 of 0.05 filled"
    with pytest.raises(InvalidInput, match="canceled"):
        cancel_algo(algo.pk, actor=PERSON)
    with pytest.raises(UnknownName):
        cancel_algo(uuid4(), actor=PERSON)


def test_a_halt_of_its_scope_pauses_it_and_the_release_does_not_wake_it(world: World):
    algo = start(TWAP)
    run_slice(algo)
    halt()
    release(HaltScope.EVERYTHING, "", reason="over", actor=PERSON)
    pass_seconds(algo, 100)
    step(algo)
    assert fresh(algo).state == "paused" and "halt" in fresh(algo).state_reason
    assert len(children(algo)) == 1
    assert Alert.objects.filter(subject__startswith="Paused: TWAP").exists()
    resume_algo(algo.pk, actor=PERSON)
    pass_seconds(algo, 100)
    assert isinstance(run_slice(algo), Make)
    assert children(algo)[-1].status == "filled"


def test_a_halt_elsewhere_does_not_concern_it(world: World):
    algo = start(TWAP)
    halt(HaltScope.INSTRUMENT, "ETH/USDT")
    assert isinstance(run_slice(algo), Make)
    assert fresh(algo).state == "running" and children(algo)[0].status == "filled"


def test_it_cannot_be_resumed_while_the_halt_stands(world: World):
    algo = start(TWAP)
    halt()
    step(algo)
    with pytest.raises(InvalidInput, match="halted"):
        resume_algo(algo.pk, actor=PERSON)
    assert fresh(algo).state == "paused"


def test_a_child_decided_before_a_pause_or_a_halt_is_not_made_after_it(world: World):
    paused, halted = fresh(start(TWAP)), fresh(start(TWAP, symbol="ETH/USDT", quantity="0.4"))
    pause_algo(paused.pk, actor=PERSON)
    with pytest.raises(StaleDecision):
        make_child(paused, number=1, slice=0, quantity=Decimal("0.01"), seen_at=timezone.now())
    halt(HaltScope.ACCOUNT, "paper")
    with pytest.raises(StaleDecision):
        make_child(halted, number=1, slice=0, quantity=Decimal("0.1"), seen_at=timezone.now())
    assert children(paused) == children(halted) == []


def test_canceling_all_orders_ends_the_algos_too(world: World):
    algo, other = start(TWAP), start(TWAP, symbol="ETH/USDT", quantity="0.4")
    answer = cancel_all(CancelScope.OURS, symbol="BTC/USDT", actor=PERSON)
    assert answer["algos"] == [str(algo.pk)]
    step(algo)
    assert (fresh(algo).state, fresh(other).state) == ("canceled", "running")


def test_closing_a_position_pauses_the_algos_that_would_open_it_again(world: World):
    algo = start(TWAP)
    run_slice(algo)
    settle(algo)
    flatten(flatten_payload("paper", "BTC/USDT"), reason="out", actor=PERSON)
    assert fresh(algo).state == "paused" and fresh(algo).state_reason == "its positions are being closed"
