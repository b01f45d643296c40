"""Approval: every decision is a row with all that it saw; nothing is approved that a halt, a rule or a gap forbids."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.making import PERSON, World, fresh, impatient_config, make_world
from trading.domain.enums import HaltScope, TradingState
from trading.domain.errors import NotAllowed, UnknownName
from trading.execution.accounts import create_strategy, set_account_enabled, set_strategy_enabled
from trading.execution.dispatch import dispatch_order
from trading.execution.halts import engage, release
from trading.models import (
    AuditEntry,
    Balance,
    ControlEpoch,
    EquitySnapshot,
    HaltState,
    LimitsVersion,
    Order,
    Quote,
    Strategy,
    Sweep,
)
from trading.risk import RULES


def codes_of(order: Order) -> list[str]:
    return list(order.decision.codes)


def test_an_approval_is_recorded_with_all_it_saw(world: World):
    order = world.approve(strategy="momentum")
    decision = order.decision
    assert decision.allowed and decision.codes == []
    assert len(decision.checks) >= len(RULES) and all(check["passed"] for check in decision.checks)
    assert decision.facts["price"] == "50000" and decision.facts["open_orders"] == 0
    assert decision.limits_version == LimitsVersion.objects.first() == order.limits_version
    assert (order.approved_epoch, order.reference_price) == (decision.epoch, Decimal(50000))
    entry = AuditEntry.objects.get(kind="order.approved", object_id=str(order.pk))
    assert (entry.data["strategy"], entry.data["limits_version"]) == ("momentum", order.limits_version_id)
    assert (entry.actor, entry.request_id) == ("client:tests", "request-1")


def test_an_intent_lives_as_long_as_configured_for_its_type(world: World, settings):
    settings.LEVI_CONFIG = impatient_config(market_expiry_sec=7, limit_expiry_sec=70)
    market, limit = world.approve(), world.approve(price="49000")
    assert market.expires_at - market.approved_at == timedelta(seconds=7)
    assert limit.expires_at - limit.approved_at == timedelta(seconds=70)


def test_a_denial_is_a_row_with_its_full_record_and_sends_nothing(world: World):
    world.change_limits(max_order_notional="100")
    order = world.submit("0.01")
    decision = order.decision
    assert order.status == "denied" and order.finished_at and order.next_action_at is None
    assert not decision.allowed and decision.codes == ["max_order_notional"]
    broken = next(check for check in decision.checks if not check["passed"])
    assert (broken["observed"], broken["limit"]) == ("500", "100") and broken["explanation"]
    assert sum(check["passed"] for check in decision.checks) > 10
    assert AuditEntry.objects.filter(kind="order.denied", object_id=str(order.pk)).count() == 1
    assert dispatch_order(order.id) is None and world.placements() == []


def test_a_denied_order_reserves_nothing(world: World):
    world.change_limits(max_open_orders=1, max_order_notional="100")
    world.submit("0.01")
    world.change_limits(max_order_notional="10000")
    assert world.submit("0.01").status == "approved"


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        (HaltScope.EVERYTHING, ""),
        (HaltScope.ACCOUNT, "paper"),
        (HaltScope.INSTRUMENT, "BTC/USDT"),
        (HaltScope.STRATEGY, "momentum"),
    ],
)
def test_every_halted_scope_denies_until_it_is_released(world: World, scope, target):
    create_strategy("momentum", actor=PERSON)
    engage(scope, target, reason="test", actor=PERSON, cancel=None)
    assert codes_of(world.submit(strategy="momentum")) == ["halted"]
    release(scope, target, reason="checked", actor=PERSON)
    assert world.submit(strategy="momentum").status == "approved"


def test_a_halt_elsewhere_denies_nothing_here(world: World):
    create_strategy("other", actor=PERSON)
    engage(HaltScope.INSTRUMENT, "ETH/USDT", reason="test", actor=PERSON, cancel=None)
    engage(HaltScope.STRATEGY, "other", reason="test", actor=PERSON, cancel=None)
    assert world.submit(strategy="momentum").status == "approved"


@pytest.mark.parametrize("scope", ["everything", "account", "instrument"])
def test_a_scope_without_a_state_counts_as_halted(world: World, scope):
    HaltState.objects.filter(scope=scope).delete()
    assert codes_of(world.submit()) == ["halt_state_unreadable"]


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        (HaltScope.EVERYTHING, ""),
        (HaltScope.ACCOUNT, "paper"),
        (HaltScope.INSTRUMENT, "BTC/USDT"),
        (HaltScope.STRATEGY, "momentum"),
    ],
)
def test_reducing_lets_only_what_shrinks_pass(world: World, scope, target):
    mine = {"strategy": "momentum"}
    world.buy("0.01", **mine)
    waiting = world.approve("0.01", price="49000", **mine)
    engage(scope, target, state=TradingState.REDUCING, reason="test", actor=PERSON)
    assert dispatch_order(waiting.id) is None and fresh(waiting).status == "lapsed"
    assert codes_of(world.submit("0.01", **mine)) == ["reducing"]
    assert codes_of(world.submit("0.01", side="SELL", **mine)) == ["reducing"]
    assert "reduce_only_would_open" in codes_of(world.submit("0.02", side="SELL", reduce_only=True, **mine))
    order = world.submit("0.01", side="SELL", reduce_only=True, **mine)
    assert order.status == "approved", order.status_reason
    dispatch_order(order.id)
    assert fresh(order).status == "open" and len(world.placements()) == 2
    assert not Sweep.objects.exists() and world.cancels() == []


def test_a_strategy_that_is_reducing_holds_up_nobody_else_and_loosens_only_by_a_release(world: World):
    for name in ("momentum", "other"):
        world.rest("40000", strategy=name)
    scope = (HaltScope.STRATEGY, "momentum")
    engage(*scope, state=TradingState.REDUCING, reason="test", actor=PERSON)
    assert codes_of(world.submit("0.01", strategy="momentum")) == ["reducing"]
    assert world.submit("0.01", strategy="other").status == "approved"
    assert world.submit("0.01").status == "approved"
    assert [row.status for row in Order.objects.filter(price=40000)] == ["open", "open"]
    engage(*scope, reason="worse", actor=PERSON, cancel=None)
    with pytest.raises(NotAllowed):
        engage(*scope, state=TradingState.REDUCING, reason="better", actor=PERSON)
    assert "halted" in codes_of(world.submit("0.01", side="SELL", reduce_only=True, strategy="momentum"))
    release(*scope, reason="looked at", actor=PERSON)
    assert world.submit("0.01", strategy="momentum").status == "approved"


def with_stale_price(world: World) -> None:
    # The venue must not help out with a fresh one.
    world.venue.faults([{"match": {"path": "/api/v3/ticker/*"}, "kind": "http_status", "status": 502}])
    Quote.objects.update(received_at=timezone.now() - timedelta(minutes=1))


def without_price(world: World) -> None:
    with_stale_price(world)
    Quote.objects.all().delete()


def with_old_balances(world: World) -> None:
    Balance.objects.update(observed_at=timezone.now() - timedelta(minutes=5))


def without_day_start(world: World) -> None:
    world.change_limits(max_daily_loss_pct="3")
    EquitySnapshot.objects.all().delete()


def with_disabled_account(world: World) -> None:
    set_account_enabled(world.account, False, actor=PERSON, reason="test")


def with_other_mode(world: World) -> None:
    type(world.account).objects.update(mode="testnet")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (with_stale_price, "price_stale"),
        (without_price, "price_missing"),
        (with_old_balances, "balance_unknown"),
        (lambda _: Balance.objects.all().delete(), "balance_unknown"),
        (without_day_start, "equity_unknown"),
        (with_disabled_account, "account_disabled"),
        (with_other_mode, "account_disabled"),
        (lambda world: world.change_limits(allowed_symbols=["ETH/USDT"]), "symbol_not_allowed"),
        (lambda world: world.change_limits(max_open_orders=0), "max_open_orders"),
    ],
)
def test_what_is_not_known_or_not_allowed_denies(world: World, spoil, code):
    spoil(world)
    order = world.submit()
    assert order.status == "denied" and code in codes_of(order)
    assert world.placements() == []


def test_without_limits_nothing_is_approved(db: None, impatient: None, frozen_venue):
    world = make_world(frozen_venue, limits=None)
    assert "limits_missing" in codes_of(world.submit())
    assert world.placements() == []


def test_a_disabled_strategy_is_denied(world: World):
    strategy = create_strategy("momentum", actor=PERSON)
    set_strategy_enabled(strategy, False, actor=PERSON)
    assert codes_of(world.submit(strategy="momentum")) == ["strategy_disabled"]


def test_paper_mode_registers_a_new_strategy_with_its_halt_state(world: World):
    world.approve(strategy="momentum")
    assert HaltState.objects.get(scope="strategy", target="momentum").state == "active"
    assert AuditEntry.objects.filter(kind="strategy.registered").count() == 1
    world.approve(strategy="momentum")
    assert Strategy.objects.count() == 1


def test_elsewhere_a_strategy_must_be_known_before_its_first_signal(world: World, settings):
    settings.LEVI_MODE = "testnet"
    before = AuditEntry.objects.count()
    with pytest.raises(UnknownName, match="Unknown strategy"):
        world.submit(strategy="momentum")
    assert (Strategy.objects.count(), Order.objects.count()) == (0, 0)
    assert AuditEntry.objects.count() == before


def test_an_order_by_quote_quantity_counts_by_its_estimate(world: World):
    order = world.approve(None, quote_quantity="500")
    assert (order.quantity, order.exposure_quantity) == (None, Decimal("0.01"))
    assert world.submit("0.01").decision.facts["pending_buy"] == "0.01"


def test_a_price_above_the_last_is_what_counts_as_balance(world: World):
    order = world.submit("2", price="52000")
    assert codes_of(order) == ["insufficient_balance"]


def test_a_decision_names_the_epoch_it_was_made_in(world: World):
    ControlEpoch.objects.update(epoch=41)
    assert world.approve().approved_epoch == 41
