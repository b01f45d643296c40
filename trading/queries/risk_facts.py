"""Gathers what the risk rules may look at, in one transaction under the account's lock.

Counts everything that may become a position in full: approved, submitting, in-doubt, quarantined and open orders. What
is not known stays None, and the rules deny on it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q

from trading.domain.enums import HaltScope, OrderStatus, Side
from trading.domain.money import ZERO, add, divide, multiply
from trading.models import Balance, ExchangeAccount, Instrument, LimitsVersion, Order, Strategy
from trading.risk.facts import LimitsFacts, OrderFacts, PriceFacts, RiskFacts, SymbolExposure

from .limits import LimitsSet, as_facts
from .pending import PendingOrder
from .scope_use import (
    AccountBooks,
    count_executions,
    in_doubt_worth,
    measure_use,
    peak_equity,
    read_books,
    read_everyone,
    read_pace,
)
from .valuation import PriceTable, day_start_equity, read_balances, value_balances


def free_balances(
    rows: list[Balance], pending: list[PendingOrder]
) -> tuple[dict[str, Decimal] | None, datetime | None]:
    """What our books hold less what every order at risk will take, and when the venue was last asked.

    Deliberately not the venue's "free" of some moment: whether that moment was before or after a fill or a lock could
    only be told by comparing two clocks. What we booked and what we sent needs no clock.
    """
    if not rows:
        return None, None
    free = {row.asset: add(row.free, row.locked) for row in rows}
    for order in pending:
        asset = order.quote_asset if order.side is Side.BUY else order.base_asset
        needed = multiply(order.remaining, order.price) if order.side is Side.BUY else order.remaining
        free[asset] = add(free.get(asset, ZERO), -needed)
    return free, max(row.observed_at for row in rows)


def _others(
    exposures_by_symbol: dict[str, SymbolExposure], symbol: str, prices: PriceTable
) -> Decimal | None:
    total = ZERO
    for other, exposure in exposures_by_symbol.items():
        if other == symbol:
            continue
        worth = prices.worth(other, exposure.worst_quantity)
        if worth is None:
            return None
        total = add(total, worth)
    return total


def _seconds_since_same(
    account: ExchangeAccount,
    instrument: Instrument,
    strategy: Strategy | None,
    order: OrderFacts,
    now: datetime,
) -> Decimal | None:
    same = Order.objects.filter(
        Q(quantity=order.quantity)
        if order.quote_quantity is None
        else Q(quote_quantity=order.quote_quantity),
        account=account,
        instrument=instrument,
        strategy=strategy,
        side=order.side,
        order_type=order.order_type,
        price=order.price,
        created_at__gt=now - timedelta(hours=1),
    ).exclude(status=OrderStatus.DENIED)
    latest = same.order_by("-created_at").values_list("created_at", flat=True).first()
    return _seconds(now - latest) if latest else None


def _seconds(span: timedelta) -> Decimal:
    return divide(Decimal(span // timedelta(microseconds=1)), Decimal(1_000_000))


def gather_facts(
    account: ExchangeAccount,
    instrument: Instrument,
    strategy: Strategy | None,
    order: OrderFacts,
    *,
    limits: LimitsSet,
    mode: str,
    now: datetime,
) -> RiskFacts:
    """The snapshot a decision is made on. An account that belongs to another `mode` counts as disabled."""
    prices = PriceTable(account)
    price = prices.find(instrument.symbol)
    books = read_books(account, prices)
    by_symbol = books.by_symbol
    balances = read_balances(account)
    free, observed_at = free_balances(balances, books.pending)
    equity = value_balances(balances, prices)
    known = equity.equity if equity and not equity.unpriced else None
    start = day_start_equity(account, now, prices)
    pace = read_pace(Q(account=account), prices, now, with_ratio=limits.sets("max_order_to_fill_ratio"))
    return RiskFacts(
        account_enabled=account.is_enabled and account.mode == mode,
        strategy_enabled=strategy is None or strategy.is_enabled,
        instrument=instrument.as_report(),
        price=PriceFacts(price.last, price.bid, price.ask, _seconds(now - price.received_at))
        if price
        else PriceFacts(),
        quote_rate=prices.rate(instrument.quote_asset),
        symbol_exposure=by_symbol.get(instrument.symbol, SymbolExposure(ZERO, ZERO, ZERO)),
        others_exposure=_others(by_symbol, instrument.symbol, prices),
        open_positions=frozenset(by_symbol),
        open_orders=len(books.pending),
        orders_last_minute=pace.orders,
        seconds_since_same=_seconds_since_same(account, instrument, strategy, order, now)
        if not order.is_child and _looks_for_same(limits)
        else None,
        free_balances=free,
        balance_age_seconds=_seconds(now - observed_at) if observed_at else None,
        daily_pnl=known - start if known is not None and start is not None else None,
        day_start_equity=start,
        positions_age_seconds=_seconds(now - account.synced_at) if account.synced_at else None,
        clock_offset_seconds=account.clock_offset_seconds,
        clock_age_seconds=_seconds(now - account.clock_measured_at) if account.clock_measured_at else None,
        notional_last_minute=pace.notional,
        orders_lately=pace.lately,
        filled_lately=pace.filled,
        in_doubt_notional=in_doubt_worth(books.pending, prices),
        equity=known,
        peak_equity=peak_equity([account.pk], now) if limits.sets("max_drawdown_pct") else None,
        executions=_executions(strategy, limits),
        **_limits_facts(limits, books, mode, instrument.symbol, now),
    )


def _limits_facts(
    limits: LimitsSet, own: AccountBooks, mode: str, symbol: str, now: datetime
) -> dict[str, Any]:
    """The versions with what their scopes have in use. Of the account, and of everything where it is the only one, that
    stands in the facts already."""
    everyone = read_everyone(mode, own) if limits.shared_scopes else [own]
    is_alone = len(everyone) == 1 and everyone[0] is own

    def facts_of(row: LimitsVersion) -> LimitsFacts | None:
        is_own = row.scope == HaltScope.ACCOUNT or (row.scope == HaltScope.EVERYTHING and is_alone)
        return as_facts(row, None if is_own else measure_use(row, own, everyone, symbol, now))

    return {
        "limits": facts_of(limits.widest) if limits.widest else None,
        "narrower": tuple(facts_of(row) for row in limits.narrower),
    }


def _looks_for_same(limits: LimitsSet) -> bool:
    """Also where the limits are missing: what nobody switched off is looked for."""
    return limits.widest is None or any(row.duplicate_window_seconds for row in limits.rows)


def _executions(strategy: Strategy | None, limits: LimitsSet) -> int | None:
    mosts = [row.max_repeated_executions for row in limits.rows if row.max_repeated_executions is not None]
    return count_executions(strategy, min(mosts)) if strategy and mosts else None


def facts_record(facts: RiskFacts) -> dict[str, Any]:
    """The facts as they stand in the decision record (rules of the instrument left out: they have their own table)."""
    return {
        "price": facts.price.last,
        "price_age_seconds": facts.price.age_seconds,
        "position": facts.symbol_exposure.position,
        "pending_buy": facts.symbol_exposure.pending_buy,
        "pending_sell": facts.symbol_exposure.pending_sell,
        "others_exposure": facts.others_exposure,
        "open_positions": sorted(facts.open_positions),
        "open_orders": facts.open_orders,
        "orders_last_minute": facts.orders_last_minute,
        "daily_pnl": facts.daily_pnl,
        "day_start_equity": facts.day_start_equity,
        "balance_age_seconds": facts.balance_age_seconds,
        "quote_rate": facts.quote_rate,
        "positions_age_seconds": facts.positions_age_seconds,
        "clock_offset_seconds": facts.clock_offset_seconds,
        "clock_age_seconds": facts.clock_age_seconds,
        "bid": facts.price.bid,
        "ask": facts.price.ask,
        "limits": [
            {"version": limits.version, "scope": limits.scope, "target": limits.target}
            for limits in ((facts.limits,) if facts.limits else ()) + facts.narrower
        ],
    }
