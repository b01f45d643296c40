"""Rules about the order itself: who may trade, what the venue takes, and whether the price makes sense.

They need no other order and no balance. Sizes are judged as rounded at intake; nothing is resized here.
"""

from __future__ import annotations

from decimal import Decimal

from trading.domain.denials import DenialCode
from trading.domain.enums import OrderType, Side

from .check import Answer, need, not_applicable, rule, shown
from .facts import OrderFacts, RiskFacts
from .measures import (
    base_quantity,
    deviation_pct,
    last_price,
    limit_price,
    limit_value,
    limits_in,
    order_notional,
    quote_rate,
    worst_notional,
)

_BY_QUOTE = "ordered by quote quantity"
_NOT_STATED = "the venue states none"
_NOT_SET = "not set"
_NO_LIMIT_PRICE = "a market order has no limit price"
# Times in force that some venues take as order types without listing them; every LIMIT venue is asked.
_VARIANTS_OF_LIMIT = frozenset({"IOC", "FOK"})
_SYMBOLS_SHOWN = 10


@rule(DenialCode.ACCOUNT_DISABLED)
def account_enabled(order: OrderFacts, facts: RiskFacts) -> Answer:
    enabled = facts.account_enabled is True
    return Answer(enabled, "enabled" if enabled else "disabled", "enabled")


@rule(DenialCode.STRATEGY_DISABLED)
def strategy_enabled(order: OrderFacts, facts: RiskFacts) -> Answer:
    enabled = facts.strategy_enabled is True
    return Answer(enabled, "enabled" if enabled else "disabled", "enabled")


@rule(DenialCode.LIMITS_MISSING)
def limits_in_force(order: OrderFacts, facts: RiskFacts) -> Answer:
    if facts.limits is None:
        return Answer(False, "none", "a version in force")
    return Answer(True, f"version {facts.limits.version}", "a version in force")


@rule(DenialCode.SYMBOL_NOT_TRADABLE)
def instrument_tradable(order: OrderFacts, facts: RiskFacts) -> Answer:
    if facts.instrument.is_tradable is not True:
        return Answer(False, "closed", str(order.side))
    sides = facts.instrument.sides
    return Answer(order.side in sides, ", ".join(sides) or "no side", str(order.side))


@rule(DenialCode.ORDER_TYPE_NOT_SUPPORTED)
def order_type_supported(order: OrderFacts, facts: RiskFacts) -> Answer:
    offered = facts.instrument.order_types
    as_limit = order.type_word in _VARIANTS_OF_LIMIT and OrderType.LIMIT in offered
    return Answer(order.type_word in offered or as_limit, str(order.type_word), ", ".join(offered) or "none")


@rule(DenialCode.SYMBOL_NOT_ALLOWED)
def symbol_allowed(order: OrderFacts, facts: RiskFacts) -> Answer:
    allowed = limits_in(facts).allowed_symbols
    if allowed is None:
        return not_applicable("every symbol is allowed")
    text = ", ".join(allowed[:_SYMBOLS_SHOWN]) or "none"
    if len(allowed) > _SYMBOLS_SHOWN:
        text += f" and {len(allowed) - _SYMBOLS_SHOWN} more"
    return Answer(order.symbol in allowed, order.symbol, text)


@rule(DenialCode.PRICE_MISSING)
def price_known(order: OrderFacts, facts: RiskFacts) -> Answer:
    return Answer(True, shown(last_price(facts)), "known", _age(facts.price.age_seconds))


@rule(DenialCode.PRICE_STALE)
def price_fresh(order: OrderFacts, facts: RiskFacts) -> Answer:
    last_price(facts)
    limit = limit_value(limits_in(facts).max_price_age_seconds, "maximum price age")
    age = need(facts.price.age_seconds, DenialCode.PRICE_STALE, "age of the last price")
    # A price from the future means that two clocks disagree: it is trusted no further than one from the past.
    return Answer(abs(age) <= limit, shown(age), shown(limit), shown(age))


@rule(DenialCode.QUANTITY_OFF_LOT)
def whole_lots(order: OrderFacts, facts: RiskFacts) -> Answer:
    if order.quote_quantity is not None:
        return not_applicable(_BY_QUOTE)
    quantity, lot = need(order.quantity, DenialCode.QUANTITY_UNKNOWN, "quantity"), facts.instrument.lot_size
    note = _rounded(order.asked_quantity, quantity)
    if quantity <= 0:
        return Answer(False, shown(quantity), shown(lot), note=note, code=DenialCode.QUANTITY_TOO_SMALL)
    if lot <= 0:
        return not_applicable(_NOT_STATED)
    return Answer(quantity % lot == 0, shown(quantity), shown(lot), note=note)


@rule(DenialCode.PRICE_OFF_TICK)
def price_on_tick(order: OrderFacts, facts: RiskFacts) -> Answer:
    if order.order_type == OrderType.MARKET:
        return not_applicable(_NO_LIMIT_PRICE)
    price, tick = limit_price(order), facts.instrument.tick_size
    if tick <= 0:
        return not_applicable(_NOT_STATED)
    return Answer(price % tick == 0, shown(price), shown(tick), note=_rounded(order.asked_price, price))


@rule(DenialCode.QUANTITY_TOO_SMALL)
def minimum_quantity(order: OrderFacts, facts: RiskFacts) -> Answer:
    minimum = facts.instrument.min_quantity
    if minimum is None or order.quote_quantity is not None:
        return not_applicable(_NOT_STATED if minimum is None else _BY_QUOTE)
    quantity = base_quantity(order, facts)
    return Answer(quantity >= minimum, shown(quantity), shown(minimum))


@rule(DenialCode.QUANTITY_TOO_LARGE)
def maximum_quantity(order: OrderFacts, facts: RiskFacts) -> Answer:
    maximum = facts.instrument.max_quantity
    if maximum is None or order.quote_quantity is not None:
        return not_applicable(_NOT_STATED if maximum is None else _BY_QUOTE)
    quantity = base_quantity(order, facts)
    return Answer(quantity <= maximum, shown(quantity), shown(maximum))


@rule(DenialCode.NOTIONAL_TOO_SMALL)
def minimum_notional(order: OrderFacts, facts: RiskFacts) -> Answer:
    venue, market = facts.instrument, order.order_type == OrderType.MARKET
    minimum = venue.min_notional_market if market else venue.min_notional
    if minimum is None:
        return not_applicable(_NOT_STATED)
    notional = order_notional(order, facts)
    return Answer(notional >= minimum, shown(notional), shown(minimum))


@rule(DenialCode.NOTIONAL_TOO_LARGE)
def maximum_notional(order: OrderFacts, facts: RiskFacts) -> Answer:
    venue, market = facts.instrument, order.order_type == OrderType.MARKET
    maximum = venue.max_notional_market if market else venue.max_notional
    if maximum is None:
        return not_applicable(_NOT_STATED)
    notional = order_notional(order, facts)
    return Answer(notional <= maximum, shown(notional), shown(maximum))


@rule(DenialCode.MAX_ORDER_NOTIONAL)
def maximum_order_notional(order: OrderFacts, facts: RiskFacts) -> Answer:
    """Our own limit on one order, in the reporting currency."""
    maximum = limits_in(facts).max_order_notional
    if maximum is None:
        return not_applicable(_NOT_SET)
    limit = limit_value(maximum, "maximum order notional")
    notional = worst_notional(order, facts) * quote_rate(facts)
    return Answer(notional <= limit, shown(notional), shown(limit), note="in the reporting currency")


@rule(DenialCode.PRICE_COLLAR)
def price_collar(order: OrderFacts, facts: RiskFacts) -> Answer:
    """Fat fingers: the limit price against the last price, in both directions, in percent."""
    pct = limits_in(facts).price_collar_pct
    if pct is None or order.order_type == OrderType.MARKET:
        return not_applicable(_NOT_SET if pct is None else _NO_LIMIT_PRICE)
    return _within_collar(limit_price(order), pct, facts, "limit price")


@rule(DenialCode.VENUE_PRICE_BAND)
def venue_price_band(order: OrderFacts, facts: RiskFacts) -> Answer:
    """The venue's own band: a BUY not too far above the last price, a SELL not too far below."""
    if order.order_type == OrderType.MARKET:
        return not_applicable(_NO_LIMIT_PRICE)
    is_buy = order.side == Side.BUY
    factor = facts.instrument.price_up_factor if is_buy else facts.instrument.price_down_factor
    if factor is None:
        return not_applicable(_NOT_STATED)
    price, bound = limit_price(order), last_price(facts) * factor
    return Answer(price <= bound if is_buy else price >= bound, shown(price), shown(bound))


@rule(DenialCode.SIGNAL_PRICE_COLLAR)
def signal_price_collar(order: OrderFacts, facts: RiskFacts) -> Answer:
    """The price that the asker saw against ours: a stale signal, or one for another symbol."""
    pct = limits_in(facts).price_collar_pct
    if pct is None or order.signal_price is None:
        return not_applicable(_NOT_SET if pct is None else "the asker named no price")
    seen = need(order.signal_price, DenialCode.SIGNAL_PRICE_COLLAR, "price of the signal")
    return _within_collar(seen, pct, facts, "price of the signal")


def _within_collar(price: Decimal, pct: Decimal, facts: RiskFacts, what: str) -> Answer:
    limit, last = limit_value(pct, "price collar"), last_price(facts)
    deviation = deviation_pct(price, last)
    note = f"percent: {what} {shown(price)}, last price {shown(last)}"
    return Answer(deviation <= limit, shown(deviation), shown(limit), _age(facts.price.age_seconds), note)


def _age(seconds: Decimal | None) -> str:
    return "" if seconds is None else shown(seconds)


def _rounded(asked: Decimal | None, rounded: Decimal) -> str:
    return "" if asked is None or asked == rounded else f"rounded from {shown(asked)}"
