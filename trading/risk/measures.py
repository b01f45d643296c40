"""What the rules measure: the order's base quantity and notional, the exposure before and after it.

Every measure either is a usable number or ends the rule that asked (see `check.need`), so no rule judges by a guess.
Where an amount is only estimated, the estimate leans to the worse side.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from trading.domain.denials import DenialCode
from trading.domain.enums import OrderType, Side
from trading.domain.money import divide
from trading.domain.positions import shrinks

from .check import need, need_not_negative, need_positive
from .facts import OrderFacts, RiskFacts, SymbolExposure

# A market order is filled at prices that nobody knows yet. Where its price decides whether something suffices (the
# quote asset a BUY takes, the base asset that a SELL by quote quantity takes) it is assumed this much worse than the
# best price known. One percent is far more than the spread of a liquid symbol and costs nothing: it is not reserved.
MARKET_CUSHION = Decimal("0.01")
ONE = Decimal(1)
HUNDRED = Decimal(100)


def last_price(facts: RiskFacts) -> Decimal:
    return need_positive(facts.price.last, DenialCode.PRICE_MISSING, "last price")


def reporting_price(facts: RiskFacts) -> Decimal:
    """One base unit in the reporting currency."""
    return last_price(facts) * quote_rate(facts)


def quote_rate(facts: RiskFacts) -> Decimal:
    return need_positive(facts.quote_rate, DenialCode.QUOTE_RATE_UNKNOWN, "rate of the quote asset")


def base_quantity(order: OrderFacts, facts: RiskFacts) -> Decimal:
    """Base units; for an order by quote quantity that came without an estimate, the estimate at the last price."""
    if order.quantity is None and order.quote_quantity is not None:
        return divide(_quote_quantity(order.quote_quantity), last_price(facts))
    return need_positive(order.quantity, DenialCode.QUANTITY_UNKNOWN, "quantity in base units")


def _quote_quantity(quote_quantity: Decimal) -> Decimal:
    return need_positive(quote_quantity, DenialCode.QUANTITY_UNKNOWN, "quote quantity")


def most_base_quantity(order: OrderFacts, facts: RiskFacts) -> Decimal:
    """The most base units that the order may take: an estimate is raised by the cushion."""
    cushion = ONE if order.quote_quantity is None else ONE + MARKET_CUSHION
    return base_quantity(order, facts) * cushion


def order_notional(order: OrderFacts, facts: RiskFacts) -> Decimal:
    """In quote units, as the venue counts it: at the limit price, or at the last price for a market order."""
    if order.quote_quantity is not None:
        return _quote_quantity(order.quote_quantity)
    if order.order_type == OrderType.MARKET:
        return base_quantity(order, facts) * last_price(facts)
    return base_quantity(order, facts) * limit_price(order)


def worst_notional(order: OrderFacts, facts: RiskFacts) -> Decimal:
    """In quote units, as the market counts it: a SELL far below the market is filled at the market's price."""
    at_limit = order_notional(order, facts)
    if order.side == Side.SELL and order.quote_quantity is None:
        return max(at_limit, base_quantity(order, facts) * last_price(facts))
    return at_limit


def limit_price(order: OrderFacts) -> Decimal:
    return need_positive(order.price, DenialCode.PRICE_MISSING, "limit price")


def deviation_pct(price: Decimal, last: Decimal) -> Decimal:
    """How far `price` is from `last`, in percent of `last`, in either direction."""
    return abs(price - last) * HUNDRED / last


def exposure_before(facts: RiskFacts) -> SymbolExposure:
    exposure = facts.symbol_exposure
    need(exposure.position, DenialCode.EXPOSURE_UNKNOWN, "position")
    need_not_negative(exposure.pending_buy, DenialCode.EXPOSURE_UNKNOWN, "pending BUY orders")
    need_not_negative(exposure.pending_sell, DenialCode.EXPOSURE_UNKNOWN, "pending SELL orders")
    return exposure


def exposure_after(order: OrderFacts, facts: RiskFacts) -> SymbolExposure:
    """As if the order were pending already."""
    before, quantity = exposure_before(facts), base_quantity(order, facts)
    if order.side == Side.BUY:
        return replace(before, pending_buy=before.pending_buy + quantity)
    return replace(before, pending_sell=before.pending_sell + quantity)


def adds_exposure(order: OrderFacts, facts: RiskFacts) -> bool:
    """True if the largest position that can come of all pending orders grows by this one."""
    return exposure_after(order, facts).worst_quantity > exposure_before(facts).worst_quantity


def only_shrinks(order: OrderFacts, facts: RiskFacts) -> bool:
    """True if the order can only bring the position nearer to zero, also when all pending orders of its side fill."""
    exposure = exposure_before(facts)
    pending = exposure.pending_buy if order.side == Side.BUY else exposure.pending_sell
    return shrinks(exposure.position, order.side, pending + most_base_quantity(order, facts))
