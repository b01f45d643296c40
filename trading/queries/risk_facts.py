"""Gathers what the risk rules may look at, in one transaction under the account's lock.

Counts everything that may become a position in full: approved, submitting, in-doubt, quarantined and open orders. What
is not known stays None, and the rules deny on it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q

from trading.domain.enums import OrderStatus, Side
from trading.domain.money import ZERO, add, divide, multiply
from trading.domain.order_states import AT_RISK
from trading.models import Balance, ExchangeAccount, Instrument, LimitsVersion, Order, Position, Strategy
from trading.risk.facts import OrderFacts, PriceFacts, RiskFacts, SymbolExposure

from .limits import as_facts
from .valuation import PriceTable, day_start_equity, read_balances, value_balances

_PENDING_COLUMNS = (
    "instrument__symbol",
    "instrument__base_asset",
    "instrument__quote_asset",
    "side",
    "exposure_quantity",
    "filled_quantity",
    "price",
    "reference_price",
    "acknowledged_at",
)


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """The part of an order at risk that is not filled yet."""

    symbol: str
    base_asset: str
    quote_asset: str
    side: Side
    remaining: Decimal
    price: Decimal
    acknowledged_at: datetime | None


def pending_orders(account: ExchangeAccount) -> list[PendingOrder]:
    rows = Order.objects.filter(account=account, status__in=AT_RISK).values_list(*_PENDING_COLUMNS)
    return [
        PendingOrder(
            symbol, base, quote, Side(side), max(wanted - filled, ZERO), price or reference or ZERO, seen
        )
        for symbol, base, quote, side, wanted, filled, price, reference, seen in rows
    ]


def exposures(account: ExchangeAccount, pending: list[PendingOrder]) -> dict[str, SymbolExposure]:
    """Position and pending quantities per symbol."""
    positions = dict(
        Position.objects.filter(account=account)
        .exclude(quantity=0)
        .order_by()
        .values_list("instrument__symbol", "quantity")
    )
    sums: dict[str, dict[Side, Decimal]] = defaultdict(lambda: {Side.BUY: ZERO, Side.SELL: ZERO})
    for order in pending:
        sums[order.symbol][order.side] = add(sums[order.symbol][order.side], order.remaining)
    return {
        symbol: SymbolExposure(positions.get(symbol, ZERO), sums[symbol][Side.BUY], sums[symbol][Side.SELL])
        for symbol in {*positions, *sums}
    }


def free_balances(
    rows: list[Balance], pending: list[PendingOrder]
) -> tuple[dict[str, Decimal] | None, datetime | None]:
    """The venue's free balances less what it has not locked yet, and when it was asked (the oldest row)."""
    if not rows:
        return None, None
    observed_at = min(row.observed_at for row in rows)
    free = {row.asset: row.free for row in rows}
    for order in pending:
        if order.acknowledged_at is not None and order.acknowledged_at <= observed_at:
            continue  # the venue's own lock already covers it
        asset = order.quote_asset if order.side is Side.BUY else order.base_asset
        needed = multiply(order.remaining, order.price) if order.side is Side.BUY else order.remaining
        free[asset] = add(free.get(asset, ZERO), -needed)
    return free, observed_at


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


def _pace(account: ExchangeAccount, now: datetime) -> int:
    recent = Order.objects.filter(account=account, created_at__gt=now - timedelta(seconds=60))
    return recent.exclude(status=OrderStatus.DENIED).count()


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
    limits: LimitsVersion | None,
    mode: str,
    now: datetime,
) -> RiskFacts:
    """The snapshot a decision is made on. An account that belongs to another `mode` counts as disabled."""
    prices = PriceTable(account)
    price = prices.find(instrument.symbol)
    pending = pending_orders(account)
    by_symbol = exposures(account, pending)
    balances = read_balances(account)
    free, observed_at = free_balances(balances, pending)
    equity = value_balances(balances, prices)
    looks_for_same = limits is None or limits.duplicate_window_seconds != 0
    start = day_start_equity(account, now)
    return RiskFacts(
        account_enabled=account.is_enabled and account.mode == mode,
        strategy_enabled=strategy is None or strategy.is_enabled,
        instrument=instrument.as_report(),
        price=PriceFacts(price.last, price.bid, price.ask, _seconds(now - price.received_at))
        if price
        else PriceFacts(),
        limits=as_facts(limits),
        quote_rate=prices.rate(instrument.quote_asset),
        symbol_exposure=by_symbol.get(instrument.symbol, SymbolExposure(ZERO, ZERO, ZERO)),
        others_exposure=_others(by_symbol, instrument.symbol, prices),
        open_positions=frozenset(by_symbol),
        open_orders=len(pending),
        orders_last_minute=_pace(account, now),
        seconds_since_same=_seconds_since_same(account, instrument, strategy, order, now)
        if looks_for_same
        else None,
        free_balances=free,
        balance_age_seconds=_seconds(now - observed_at) if observed_at else None,
        daily_pnl=equity.equity - start if equity and start is not None and not equity.unpriced else None,
        day_start_equity=start,
    )


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
    }
