"""What CLEAN needs beyond empty lists: our own books, and lists that were asked late enough."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from tests.making import PERSON, World, status_of
from trading.domain.enums import CancelState, HaltScope
from trading.execution import sweep as sweeping
from trading.execution.halts import engage
from trading.execution.sweep import LAST_ACCEPTANCE, run_sweep
from trading.models import Order, Sweep


def halt(*, age: timedelta) -> Sweep:
    sweep_id = engage(HaltScope.EVERYTHING, reason="test", actor=PERSON).sweep_id
    Sweep.objects.filter(pk=sweep_id).update(engaged_at=timezone.now() - age)
    return Sweep.objects.get(pk=sweep_id)


def test_an_order_open_in_our_books_is_no_clean_whatever_the_list_shows(live_world: World, monkeypatch):
    order = live_world.rest()
    # The venue takes every cancel and shows neither the order nor its end: its lists lag behind.
    Order.objects.filter(pk=order.pk).update(cancel_state=CancelState.SENT)
    monkeypatch.setattr(sweeping, "follow_order", lambda _order_id: False)
    monkeypatch.setattr(sweeping, "_PAUSES", (0.0,))
    monkeypatch.setattr(type(sweeping.exchange_for(order.account)), "fetch_open_orders", lambda *_a, **_k: [])
    ended = run_sweep(halt(age=sweeping.LONGEST).pk)
    assert ended.verdict == "survivors" and status_of(order) == "open"
    assert ended.report["paper"]["unresolved"] == [order.client_order_id]


def test_a_list_that_was_asked_before_the_last_acceptance_does_not_count(live_world: World, monkeypatch):
    sweep = halt(age=LAST_ACCEPTANCE - timedelta(seconds=0.2))
    began: list[object] = []
    original = sweeping._one_round

    def slow_round(row: Sweep):
        began.append(timezone.now())
        report = original(row)
        if len(began) == 1:  # its answer comes after the instant, its question came before
            Sweep.objects.filter(pk=row.pk).update(engaged_at=row.engaged_at)
            while timezone.now() < row.engaged_at + LAST_ACCEPTANCE:
                pass
        return report

    monkeypatch.setattr(sweeping, "_one_round", slow_round)
    monkeypatch.setattr(sweeping, "_PAUSES", (0.0,))
    assert run_sweep(sweep.pk).verdict == "clean"
    assert len(began) == 3
    assert [at >= sweep.engaged_at + LAST_ACCEPTANCE for at in began] == [False, True, True]
