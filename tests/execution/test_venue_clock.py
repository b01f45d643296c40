"""The venue's clock grows old: orders and syncs measure again, and what cannot be measured opens nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from tests.execution.looking import NOTHING, look_again, state
from tests.making import World, status_of
from trading.connections import exchange_for
from trading.exchanges.mexc.client import MexcExchange
from trading.execution.dispatch import dispatch_order
from trading.models import ExchangeAccount
from trading.queries.trigger_looks import look_at_clock
from trading.queries.trigger_sight import Sight

TIME = "/api/v3/time"


def let_clock_age(world: World, seconds: float) -> MexcExchange:
    exchange = exchange_for(world.account)
    assert isinstance(exchange, MexcExchange)
    clock = exchange._line.clock
    assert clock._state is not None
    clock._state, clock._tried_at = (
        replace(clock._state, measured_at=clock._state.measured_at - seconds),
        None,
    )
    return exchange


def break_time_endpoint(world: World) -> None:
    world.venue.faults([{"match": {"path": TIME}, "kind": "http_status", "status": 503}])


def account_of(world: World) -> ExchangeAccount:
    return ExchangeAccount.objects.get(pk=world.account.pk)


def test_an_order_after_hours_of_rest_is_stamped_by_a_new_measurement(world: World):
    exchange = let_clock_age(
        world, 21_000
    )  # the allowance for drift alone is longer than the request's window
    order = world.approve(price="49000")
    dispatch_order(order.id)
    assert status_of(order) == "open"
    assert exchange.clock_age_seconds() < 20


def test_a_measurement_that_fails_leaves_a_young_one_in_force_and_is_not_repeated_at_once(world: World):
    exchange = let_clock_age(world, 60)
    asked = len(world.venue.requests(path=TIME))
    break_time_endpoint(world)
    for price in ("49000", "48000"):
        order = world.approve(price=price)
        dispatch_order(order.id)
        assert status_of(order) == "open"
    assert exchange.clock_age_seconds() > 60
    assert len(world.venue.requests(path=TIME)) == asked + 1


def test_no_order_is_sent_by_an_old_measurement_and_cancels_are(world: World):
    resting, waiting = world.rest(), world.approve(price="48000")
    exchange = let_clock_age(world, 3_600)
    break_time_endpoint(world)
    sent = len(world.placements())
    assert dispatch_order(waiting.id) is None
    assert len(world.placements()) == sent and status_of(waiting) == "approved"
    exchange.cancel_order("BTCUSDT", client_order_id=resting.client_order_id)
    assert len(world.cancels()) == 1 and {row["status"].lower() for row in world.venue.orders()} == {
        "canceled"
    }


def test_a_sync_measures_again_so_that_the_offset_does_not_drift(world: World):
    let_clock_age(world, 48_000)
    world.sync()
    account = account_of(world)
    assert abs(account.clock_offset_seconds) < 2
    assert account.clock_measured_at > timezone.now() - timedelta(seconds=20)
    assert world.submit().status == "approved"


def test_a_clock_that_cannot_be_measured_denies_what_opens_and_ends_no_sync(world: World):
    world.buy("0.02")
    world.sync()
    let_clock_age(world, 130)
    break_time_endpoint(world)
    world.sync()
    assert account_of(world).clock_measured_at < timezone.now() - timedelta(seconds=130)
    assert world.submit().decision.codes == ["clock_unknown"]
    assert world.submit("0.01", side="SELL", reduce_only=True).status == "approved"
    (look,) = look_at_clock(Sight())
    assert look.used is None and look.at_stake


def test_an_account_that_was_never_measured_denies_and_is_no_alarm(world: World):
    ExchangeAccount.objects.update(clock_measured_at=None, clock_offset_seconds=Decimal(0))
    assert world.submit().decision.codes == ["clock_unknown"]
    look_again()
    assert state("account", "paper") == NOTHING
