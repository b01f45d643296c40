"""The permit: one row or no order. What changes between approval and permit stops the order, with zero bytes sent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from tests.making import PERSON, World, evidence_of, fresh, status_of
from tests.worlds import every_venue
from trading.connections import exchange_for
from trading.domain.enums import HaltScope, TradingState
from trading.domain.outcomes import NotSentOutcome, Placed
from trading.execution.accounts import set_account_enabled
from trading.execution.dispatch import dispatch_order
from trading.execution.halts import engage, release
from trading.models import AuditEntry, ControlEpoch, HaltState, Order, OrderAttempt


@every_venue
def test_an_approved_order_is_sent_once_and_leaves_its_trail(world: World):
    order = world.approve(price="49000")
    outcome = dispatch_order(order.id)
    assert isinstance(outcome, Placed)
    order = fresh(order)
    assert (order.status, order.attempt, order.exchange_order_id) == ("open", 1, outcome.exchange_order_id)
    (at_venue,) = world.venue.orders()
    assert at_venue["client_order_id"] == order.client_order_id
    assert (at_venue["quantity"], at_venue["price"]) == ("0.01", "49000")
    attempt = OrderAttempt.objects.get(order=order)
    assert (attempt.outcome, attempt.http_status) == ("placed", 200)
    assert attempt.permit_at <= attempt.sent_at <= attempt.finished_at
    kinds = AuditEntry.objects.filter(object_id=str(order.pk)).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["order.approved", "order.submitting", "order.open"]


def test_the_request_carries_the_permits_time_and_window(world: World):
    order = world.approve()
    dispatch_order(order.id)
    (request,) = world.placements()
    permit_ms = fresh(order).permit_at.timestamp() * 1000
    assert request["params"]["recvWindow"] == "2000"
    # The stamp was read before the permit was written, so the venue's window can only be shorter.
    assert int(request["params"]["timestamp"]) <= permit_ms


def test_an_order_that_is_not_approved_is_never_sent(world: World):
    order = world.rest()
    for _ in range(3):
        assert dispatch_order(order.id) is None
    assert len(world.placements()) == 1


def expire(world: World, order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(expires_at=timezone.now() - timedelta(milliseconds=1))


def halt_and_release(world: World, order: Order) -> None:
    engage(HaltScope.INSTRUMENT, "BTC/USDT", reason="test", actor=PERSON, cancel=None)
    release(HaltScope.INSTRUMENT, "BTC/USDT", reason="checked", actor=PERSON)


def halt_something_else(world: World, order: Order) -> None:
    engage(HaltScope.INSTRUMENT, "ETH/USDT", reason="test", actor=PERSON, cancel=None)


def halt_silently(world: World, order: Order) -> None:
    """The state alone, without a new epoch: the states are asked as well."""
    HaltState.objects.filter(scope="account").update(state="halted")


def disable_account(world: World, order: Order) -> None:
    set_account_enabled(world.account, False, actor=PERSON, reason="test")


VOID = [
    (expire, "expired"),
    (halt_and_release, "approved before a halt"),
    (halt_something_else, "approved before a halt"),
    (halt_silently, "account paper is halted"),
    (lambda world, _: HaltState.objects.filter(scope="everything").delete(), "without a halt state"),
    (lambda world, _: HaltState.objects.filter(scope="account").delete(), "without a halt state"),
    (lambda world, _: HaltState.objects.filter(scope="instrument").delete(), "without a halt state"),
    (lambda world, _: HaltState.objects.filter(scope="strategy").delete(), "without a halt state"),
    (lambda world, _: HaltState.objects.filter(scope="strategy").update(state="halted"), "is halted"),
    (lambda world, _: ControlEpoch.objects.all().delete(), "approved before a halt"),
    (lambda world, _: world.change_limits(max_open_orders=5), "limits changed"),
    (disable_account, "disabled"),
    (lambda world, _: type(world.account).objects.update(mode="testnet"), "disabled"),
]


@pytest.mark.parametrize(("change", "reason"), VOID)
def test_what_changes_after_the_approval_voids_it_for_ever(world: World, change, reason):
    order = world.approve(strategy="momentum")
    change(world, order)
    assert dispatch_order(order.id) is None
    order = fresh(order)
    assert order.status == "lapsed" and reason in order.status_reason
    assert (order.attempt, order.permit_at, order.next_action_at) == (0, None, None)
    assert dispatch_order(order.id) is None
    assert world.placements() == [] and not OrderAttempt.objects.exists()


def test_the_stop_flag_of_this_host_stops_a_permitted_order_at_the_last_moment(world: World):
    order = world.approve()
    django_settings.STOP_FLAG.touch()
    outcome = dispatch_order(order.id)
    assert isinstance(outcome, NotSentOutcome) and "halt was engaged on this host" in outcome.reason
    assert world.placements() == []
    assert (status_of(order), fresh(order).attempt) == ("approved", 1)
    django_settings.STOP_FLAG.unlink()
    assert isinstance(dispatch_order(order.id), Placed)
    assert (status_of(order), fresh(order).attempt) == ("open", 2)


def test_a_permit_that_ran_out_before_the_write_sends_nothing(world: World, monkeypatch):
    order = world.approve()
    exchange_for(world.account).warm_up()
    monkeypatch.setattr("trading.execution.dispatch.PERMIT_SECONDS", -0.001)
    outcome = dispatch_order(order.id)
    assert isinstance(outcome, NotSentOutcome) and "permit ran out" in outcome.reason
    assert world.placements() == [] and status_of(order) == "approved"


@pytest.mark.parametrize("scope", ["everything", "account", "instrument", "strategy"])
def test_reducing_stops_an_order_that_opens_and_passes_one_that_shrinks(world: World, scope):
    world.buy("0.01", strategy="momentum")
    opening = world.approve("0.01", price="49000", strategy="momentum")
    shrinking = world.approve("0.01", side="SELL", reduce_only=True, strategy="momentum")
    assert HaltState.objects.filter(scope=scope).update(state=TradingState.REDUCING)
    assert dispatch_order(opening.id) is None and status_of(opening) == "lapsed"
    assert isinstance(dispatch_order(shrinking.id), Placed)


def test_an_unreachable_venue_leaves_the_intent_until_it_expires(world: World):
    order = world.approve()
    exchange_for(world.account).close()
    type(world.account).objects.update(base_url="http://127.0.0.1:9/mexc")
    assert dispatch_order(order.id) is None
    assert (status_of(order), evidence_of(order)) == ("approved", [])
    expire(world, order)
    assert dispatch_order(order.id) is None
    assert status_of(order) == "lapsed" and world.placements() == []


def test_a_price_and_a_quantity_reach_the_venue_to_the_last_digit(world: World):
    order = world.approve("0.123457", price="49876.54")
    dispatch_order(order.id)
    (at_venue,) = world.venue.orders()
    assert (Decimal(at_venue["quantity"]), Decimal(at_venue["price"])) == (
        Decimal("0.123457"),
        Decimal("49876.54"),
    )
