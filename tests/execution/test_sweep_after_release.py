"""A release does not end the sweep of the halt before it; it narrows it to what was approved before the halt."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.making import CLIENT, PERSON, World, status_of
from trading.domain.enums import CancelScope, HaltScope
from trading.execution import sweep as sweeping
from trading.execution.dispatch_limits import LAST_ACCEPTANCE
from trading.execution.halts import engage, release
from trading.execution.sweep import run_sweep
from trading.models import Sweep, SweepVerdict


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch):
    monkeypatch.setattr(sweeping, "_PAUSES", (0.0,))


def halt_and_release(cancel: CancelScope = CancelScope.OURS) -> Sweep:
    engagement = engage(HaltScope.EVERYTHING, reason="too fast", actor=CLIENT, cancel=cancel)
    release(HaltScope.EVERYTHING, reason="looked at", actor=PERSON)
    sweep = Sweep.objects.get(pk=engagement.sweep_id)
    earlier = sweep.engaged_at - LAST_ACCEPTANCE - timedelta(seconds=1)
    Sweep.objects.filter(pk=sweep.pk).update(engaged_at=earlier)
    return sweep


@pytest.mark.parametrize("cancel", list(CancelScope))
def test_orders_approved_after_the_release_are_left_alone(live_world: World, cancel):
    before = live_world.rest()
    sweep = halt_and_release(cancel)
    after = live_world.rest(price="48000")

    ended = run_sweep(sweep.pk)

    assert ended.verdict == SweepVerdict.CLEAN
    assert ended.report["paper"]["open"] == []
    assert status_of(before) == "canceled"
    assert status_of(after) == "open"
    assert len(live_world.cancels()) >= 1
    assert [row["status"] for row in live_world.venue.orders()] == ["CANCELED", "NEW"]


def test_an_order_approved_after_the_release_does_not_keep_it_from_being_clean(live_world: World):
    sweep = halt_and_release()
    waiting = live_world.approve()  # not sent yet

    ended = run_sweep(sweep.pk)

    assert ended.verdict == SweepVerdict.CLEAN
    assert status_of(waiting) == "approved"
    assert live_world.cancels() == []
