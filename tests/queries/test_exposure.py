"""What the rules and pages read: everything that may become a position counts, and what is unknown stays unknown."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.making import World, let_time_pass
from tests.models.rows import make_account, make_instrument, make_order
from trading.domain.order_states import AT_RISK
from trading.models import Balance, EquitySnapshot, Position, Quote
from trading.queries.pending import exposures, pending_orders
from trading.queries.portfolio import daily_pnl, exposure_rows, held_exposure, position_rows
from trading.queries.risk_facts import free_balances
from trading.queries.valuation import PriceTable, day_start, day_start_equity, value_account

D = Decimal
NOW = timezone.now


def quote(symbol: str, last: str) -> None:
    base, dollar = symbol.split("/")
    instrument = type(make_instrument()).objects.get_or_create(
        venue="mexc",
        environment="simulated",
        symbol=symbol,
        defaults={
            "venue_symbol": base + dollar,
            "base_asset": base,
            "quote_asset": dollar,
            "tick_size": 1,
            "lot_size": 1,
            "synced_at": NOW(),
        },
    )[0]
    Quote.objects.update_or_create(instrument=instrument, defaults={"last": D(last), "received_at": NOW()})


def balance(asset: str, free: str, locked: str = "0") -> None:
    Balance.objects.create(
        account=make_account(), asset=asset, free=D(free), locked=D(locked), observed_at=NOW()
    )


def snapshot(at, equity: str, unpriced=()) -> None:
    EquitySnapshot.objects.create(
        account=make_account(),
        at=at,
        equity=D(equity),
        cash=0,
        positions_value=0,
        exposure=0,
        unpriced=list(unpriced),
    )


@pytest.mark.parametrize("status", sorted(AT_RISK))
def test_every_status_at_risk_counts_its_open_part(db: None, status):
    make_order(status=status, origin="orphan", attempt=1, permit_at=NOW(), filled_quantity=D("0.004"))
    (row,) = pending_orders(make_account())
    assert row.remaining == D("0.006")
    assert exposures(make_account(), [row])["BTC/USDT"].worst_quantity == D("0.006")


@pytest.mark.parametrize(
    "status", ["denied", "lapsed", "filled", "canceled", "rejected", "not_accepted", "expired"]
)
def test_what_is_over_counts_no_more(db: None, status):
    make_order(status=status, origin="orphan")
    assert pending_orders(make_account()) == []


def test_an_overfilled_order_does_not_count_backwards(db: None):
    make_order(status="partially_filled", origin="orphan", filled_quantity=D(9))
    assert pending_orders(make_account())[0].remaining == 0


def test_the_worst_of_both_sides_counts(db: None):
    account, instrument = make_account(), make_instrument()
    Position.objects.create(account=account, instrument=instrument, quantity=D("0.01"), updated_at=NOW())
    make_order(quantity=D("0.05"), exposure_quantity=D("0.05"), side="SELL")
    make_order(quantity=D("0.02"), exposure_quantity=D("0.02"))
    exposure = exposures(account, pending_orders(account))["BTC/USDT"]
    assert exposure.worst_quantity == D("0.04")
    quote("BTC/USDT", "50000")
    (row,) = exposure_rows(account)
    assert (row.notional, row.pending_buy, row.pending_sell) == (2000, D("0.02"), D("0.05"))


def test_what_every_order_at_risk_will_take_is_taken_off_whether_the_venue_has_locked_it_or_not(db: None):
    balance("USDT", "1000", locked="500")
    balance("BTC", "1")
    make_order()  # 0.01 × 50,000, approved
    make_order(side="SELL", quantity=D("0.3"), exposure_quantity=D("0.3"))
    make_order(status="open", origin="orphan", acknowledged_at=NOW() - timedelta(seconds=9))
    free, observed_at = free_balances(list(Balance.objects.all()), pending_orders(make_account()))
    assert (free["USDT"], free["BTC"]) == (D(500), D("0.7")) and observed_at


def test_balances_never_seen_are_unknown(db: None):
    assert free_balances([], []) == (None, None)
    assert value_account(make_account(), PriceTable(make_account())) is None


def test_an_account_is_worth_its_cash_and_its_coins_and_names_what_has_no_price(db: None):
    balance("USDT", "900", "100")
    balance("BTC", "0.5", "0.5")
    balance("ODD", "7")
    balance("NIL", "0")
    quote("BTC/USDT", "50000")
    worth = value_account(make_account(), PriceTable(make_account()))
    assert (worth.cash, worth.positions_value, worth.equity) == (1000, 50000, 51000)
    assert worth.unpriced == ("ODD",)


def test_a_price_in_another_coin_is_converted(db: None):
    quote("BTC/USDT", "50000")
    quote("ETH/BTC", "0.05")
    prices = PriceTable(make_account())
    assert prices.worth("ETH/BTC", D(2)) == 5000
    assert prices.worth("ETH/BTC", D(-2)) == 5000
    assert prices.rate("USDC") == 1 and prices.rate("ODD") is None
    assert prices.worth("NO/PE", D(1)) is None


def test_held_positions_without_a_price_are_named(db: None):
    Position.objects.create(
        account=make_account(), instrument=make_instrument(), quantity=1, updated_at=NOW()
    )
    assert held_exposure(make_account()) == (0, ["BTC/USDT"])
    quote("BTC/USDT", "50000")
    assert held_exposure(make_account()) == (50000, [])


def test_fresh_means_every_price_that_values_a_position(db: None):
    account = make_account()
    moment = NOW()
    assert PriceTable(account).are_newer_than(moment, account)  # nothing is held
    Position.objects.create(account=account, instrument=make_instrument(), quantity=1, updated_at=NOW())
    assert not PriceTable(account).are_newer_than(moment, account)
    quote("BTC/USDT", "50000")
    assert PriceTable(account).are_newer_than(moment, account)
    assert not PriceTable(account).are_newer_than(NOW() + timedelta(seconds=1), account)


def test_the_day_begins_with_the_last_complete_snapshot_before_it(db: None):
    begins, now = day_start(), NOW()
    assert day_start_equity(make_account()) is None
    snapshot(now, "300")
    assert day_start_equity(make_account(), now) == 300
    snapshot(begins, "90", unpriced=["MX"])  # would look like a profit later and hide a loss
    assert day_start_equity(make_account(), now) == 300
    snapshot(begins + timedelta(microseconds=1), "200")
    assert day_start_equity(make_account(), now) == 200
    snapshot(begins - timedelta(minutes=2), "100")
    snapshot(begins - timedelta(minutes=30), "50")
    assert day_start_equity(make_account(), now) == 100
    snapshot(begins - timedelta(hours=2), "1")
    assert day_start_equity(make_account(), now) == 100


def test_profit_of_the_day_is_unknown_while_anything_is_unknown(db: None):
    balance("USDT", "1000")
    assert daily_pnl(make_account()) is None
    snapshot(NOW(), "1200")
    assert daily_pnl(make_account()) == -200
    balance("ODD", "1")
    assert daily_pnl(make_account()) is None


def test_a_position_row_says_what_it_is_worth_now(world: World):
    world.buy("0.02")
    world.venue.set_price("BTCUSDT", "51000")
    world.sync()
    (row,) = position_rows(world.account)
    assert (row.quantity, row.last_price, row.notional) == (D("0.02"), 51000, 1020)
    assert row.unrealized_pnl == D("0.02") * (51000 - row.average_price) and row.fees["USDT"]


def test_the_facts_of_a_decision_are_what_the_tables_said(world: World):
    world.rest(quantity="0.02")
    order = world.rest("48000", "0.03")
    let_time_pass(order, 90)
    facts = world.submit("0.01", side="BUY").decision.facts
    assert (facts["pending_buy"], facts["open_orders"], facts["orders_last_minute"]) == ("0.05", 2, 1)
    assert facts["open_positions"] == ["BTC/USDT"] and facts["price"] == "50000"
