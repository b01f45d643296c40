"""One story at each venue: signal, order, fill, booking, cancel, doubt, halt, sweep, sync, and books that agree."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import F

from tests.making import PERSON, World, add_foreign_order, fresh, let_time_pass, status_of
from tests.worlds import every_live_venue
from trading.domain.enums import HaltScope
from trading.execution.cancellation import request_cancel, send_cancel
from trading.execution.dispatch import dispatch_order
from trading.execution.dispatch_limits import LAST_ACCEPTANCE
from trading.execution.following import follow_order
from trading.execution.halts import engage
from trading.execution.in_doubt import resolve_order
from trading.execution.sweep import run_sweep
from trading.models import Break, Fill, OrderAttempt, Sweep


def buy_and_book(world: World) -> None:
    order = world.buy("0.02")
    assert (order.status, order.filled_quantity) == ("filled", Decimal("0.02"))
    booked = {fill.venue_fill_id: (fill.quantity, fill.fee, fill.fee_asset) for fill in Fill.objects.all()}
    assert booked == {
        world.name_of(row, "fill_id"): (Decimal(row["quantity"]), Decimal(row["fee"]), row["fee_asset"])
        for row in world.venue.fills()
        if row["user"] == "trader"
    }
    assert world.position() == world.position_at_venue() > 0


def cancel_after_a_part(world: World) -> None:
    order = world.rest()
    world.venue.fill(order.client_order_id, "0.004")
    request_cancel(order.id, actor=PERSON)
    send_cancel(order.id)
    follow_order(order.id)
    order = fresh(order)
    assert (order.status, order.filled_quantity) == ("canceled", Decimal("0.004"))
    assert world.position() == world.position_at_venue()


def doubt_and_find(world: World) -> str:
    order = world.approve(price="48000")
    world.fault("drop_after", count=1)
    dispatch_order(order.id)
    assert status_of(order) == "in_doubt"
    assert resolve_order(let_time_pass(order, 1).id) == "open"
    assert OrderAttempt.objects.filter(order=order).count() == 1
    return order.client_order_id


def halt_and_sweep(world: World) -> None:
    sweep_id = engage(HaltScope.EVERYTHING, "", reason="test", actor=PERSON).sweep_id
    Sweep.objects.filter(pk=sweep_id).update(engaged_at=F("engaged_at") - LAST_ACCEPTANCE)
    assert run_sweep(sweep_id).verdict == "clean"


@every_live_venue
def test_from_a_signal_to_books_that_agree(live_world: World):
    world = live_world
    buy_and_book(world)
    cancel_after_a_part(world)
    found = doubt_and_find(world)
    add_foreign_order(world)
    world.sync()
    halt_and_sweep(world)
    at_venue = {row["client_order_id"]: row["status"] for row in world.venue.orders()}
    assert (at_venue[found], at_venue["by-hand"]) == ("CANCELED", "NEW")
    assert world.sync().balances == "equal" and world.balances_agree()
    assert not Break.objects.exists() and world.venue.book_differences() == []
    assert world.position() == world.position_at_venue()
