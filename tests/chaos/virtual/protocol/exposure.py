"""What the risk rules see of the store: every price is one, so that a quantity is its own worth.

The rules are the real ones of `trading/risk`; this module only gathers, as `queries/risk_facts.py` does.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from trading.domain.enums import OrderStatus, OrderType, Side
from trading.domain.order_states import AT_RISK
from trading.domain.outcomes import InstrumentReport
from trading.risk import exposure_rules
from trading.risk.facts import LimitsFacts, OrderFacts, PriceFacts, RiskFacts, SymbolExposure
from trading.risk.measures import only_shrinks
from trading.risk.policy import is_asked

from ..scenario import LIMIT, OrderPlan
from .node import Node

_ZERO, _ONE = Decimal(0), Decimal(1)
_IN_DOUBT = (OrderStatus.IN_DOUBT, OrderStatus.QUARANTINED)
_INSTRUMENT = InstrumentReport("ANY", "ANY", "USDT", True, _ONE, _ONE, *[None] * 6, ("LIMIT", "MARKET"))
_LIMITS = LimitsFacts(1, exposure_limit_total=LIMIT)
_NOTHING = SymbolExposure(_ZERO, _ZERO, _ZERO)
_FACTS = RiskFacts(
    account_enabled=True,
    strategy_enabled=True,
    instrument=_INSTRUMENT,
    price=PriceFacts(_ONE, _ONE, _ONE, _ZERO),
    limits=_LIMITS,
    quote_rate=_ONE,
    symbol_exposure=_NOTHING,
    others_exposure=_ZERO,
    open_positions=frozenset(),
    open_orders=0,
    orders_last_minute=0,
    seconds_since_same=None,
    free_balances=None,
    balance_age_seconds=None,
    daily_pnl=None,
    day_start_equity=None,
)


def shrinks_position(me: Node, plan: OrderPlan) -> bool:
    if me.mutations.reduce_only_is_believed:
        return plan.reduce_only
    if me.mutations.flattening_may_open and plan.flattens:
        return True
    return plan.reduce_only and only_shrinks(_order_facts(plan), _gather(me, plan))


def passes_rules(me: Node, plan: OrderPlan) -> bool:
    """The rules whose facts the simulation has: the limit of all exposure, and reduce-only."""
    order, facts = _order_facts(plan), _gather(me, plan)
    shrinks = me.mutations.reduce_only_is_believed or exposure_rules.reduce_only.check(order, facts).passed
    exposure = exposure_rules.total_exposure
    return shrinks and (not is_asked(exposure, order) or exposure.check(order, facts).passed)


def _order_facts(plan: OrderPlan) -> OrderFacts:
    word = OrderType.MARKET if plan.ends_at_once else OrderType.LIMIT
    price = None if plan.ends_at_once else _ONE
    quantity = plan.quantity
    return OrderFacts(
        symbol=plan.symbol,
        side=plan.side,
        order_type=word,
        type_word=word,
        quantity=quantity,
        asked_quantity=quantity,
        quote_quantity=None,
        price=price,
        asked_price=price,
        signal_price=None,
        reduce_only=plan.reduce_only,
        flattens=plan.flattens,
    )


def _gather(me: Node, plan: OrderPlan) -> RiskFacts:
    """Positions by the booked fills, and everything that may still become one, in full."""
    exposures = {
        symbol: SymbolExposure(position, _ZERO, _ZERO)
        for (account, symbol), position in me.store.positions.items()
        if account == plan.account
    }
    for row in me.store.orders.values():
        if row.account != plan.account or row.status not in AT_RISK:
            continue
        if me.mutations.exposure_without_doubt and row.status in _IN_DOUBT:
            continue
        before, left = exposures.get(row.symbol, _NOTHING), max(row.quantity - row.filled, _ZERO)
        if row.side is Side.BUY:
            exposures[row.symbol] = replace(before, pending_buy=before.pending_buy + left)
        else:
            exposures[row.symbol] = replace(before, pending_sell=before.pending_sell + left)
    others = sum((seen.worst_quantity for symbol, seen in exposures.items() if symbol != plan.symbol), _ZERO)
    return replace(_FACTS, symbol_exposure=exposures.get(plan.symbol, _NOTHING), others_exposure=others)
