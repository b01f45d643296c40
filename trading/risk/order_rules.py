"""Rules about the order itself: who may trade, what the venue takes, and whether the price makes sense.

They need no other order and no balance. Sizes are judged as rounded at intake; nothing is resized here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from trading.domain.denials import DenialCode
from trading.domain.enums import OrderType, Side

from .binding import Judge, Judged, bind, bind_always, limits_of, limits_setting, share_of
from .check import Answer, need, need_positive, not_applicable, rule, shown
from .facts import LimitsFacts, OrderFacts, RiskFacts
from .measures import (
    base_quantity,
    deviation_pct,
    last_price,
    limit_price,
    most_base_quantity,
    only_shrinks,
    order_notional,
    quote_rate,
    worst_notional,
)

_BY_QUOTE = "ordered by quote quantity"
_NOT_STATED = "the venue states none"
_ONLY_SHRINKS = "the order can only shrink the position"
_NO_LIMIT_PRICE = "a market order has no limit price"
# Times in force that some venues take as order types without listing them; every LIMIT venue is asked.
_VARIANTS_OF_LIMIT = frozenset({"IOC", "FOK"})
_SYMBOLS_SHOWN = 10
# Requests are stamped by the venue's clock; ages and windows of seconds are told by ours.
MAX_CLOCK_OFFSET_SECONDS = Decimal(5)
MAX_CLOCK_AGE_SECONDS = Decimal(120)


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
    answer = Answer(True, f"version {facts.limits.version}", "a version in force")
    return replace(answer, note=", ".join(limits.source for limits in limits_of(facts)))


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
    def judge(_limits: LimitsFacts, allowed: tuple[str, ...]) -> Judged:
        text = ", ".join(allowed[:_SYMBOLS_SHOWN]) or "none"
        if len(allowed) > _SYMBOLS_SHOWN:
            text += f" and {len(allowed) - _SYMBOLS_SHOWN} more"
        return Answer(order.symbol in allowed, order.symbol, text), Decimal(-len(allowed))

    if not any(True for _ in limits_setting("allowed_symbols", facts)):
        return not_applicable("every symbol is allowed")
    return bind("allowed_symbols", facts, judge)


@rule(DenialCode.PRICE_MISSING)
def price_known(order: OrderFacts, facts: RiskFacts) -> Answer:
    return Answer(True, shown(last_price(facts)), "known", _age(facts.price.age_seconds))


@rule(DenialCode.PRICE_STALE)
def price_fresh(order: OrderFacts, facts: RiskFacts) -> Answer:
    last_price(facts)
    age = need(facts.price.age_seconds, DenialCode.PRICE_STALE, "age of the last price")

    def judge(_limits: LimitsFacts, most: Decimal) -> Judged:
        # A price from the future means that two clocks disagree: it is trusted no further than one from the past.
        return Answer(abs(age) <= most, shown(age), shown(most), shown(age)), share_of(abs(age), most)

    return bind_always("max_price_age_seconds", facts, judge)


@rule(DenialCode.PRICE_SOURCES_DISAGREE)
def price_sources_agree(order: OrderFacts, facts: RiskFacts) -> Answer:
    """The last price against the top of the book, where the venue gives both: one bad tick must not judge an order."""
    if facts.price.bid is None and facts.price.ask is None:
        return not_applicable("the venue gives one price")
    if only_shrinks(order, facts):
        return not_applicable(_ONLY_SHRINKS)
    last, gap = last_price(facts), price_gap_pct(facts)

    def judge(_limits: LimitsFacts, most: Decimal) -> Judged:
        note = f"percent: last price {shown(last)} outside of the book"
        return Answer(gap <= most, shown(gap), shown(most), note=note), share_of(gap, most)

    return bind("max_price_gap_pct", facts, judge)


def price_gap_pct(facts: RiskFacts) -> Decimal:
    """How far the last price is outside of best bid and ask, in percent of the nearer one; 0 inside."""
    last = last_price(facts)
    known = [price for price in (facts.price.bid, facts.price.ask) if price is not None]
    book = [need_positive(price, DenialCode.PRICE_MISSING, "top of the book") for price in known]
    low, high = min(book), max(book)
    if len(book) == 1:
        low, high = (low, last) if facts.price.bid is not None else (last, high)
    if last < low:
        return deviation_pct(last, low)
    return deviation_pct(last, high) if last > high else Decimal(0)


@rule(DenialCode.CLOCK_UNKNOWN)
def clock_agrees(order: OrderFacts, facts: RiskFacts) -> Answer:
    """Ages, days and windows are told by this host's clock: it must be near the venue's."""
    if only_shrinks(order, facts):
        return not_applicable(_ONLY_SHRINKS)
    offset = need(facts.clock_offset_seconds, DenialCode.CLOCK_UNKNOWN, "offset to the venue's clock")
    age = need(facts.clock_age_seconds, DenialCode.CLOCK_UNKNOWN, "age of the offset to the venue's clock")
    if abs(age) > MAX_CLOCK_AGE_SECONDS:  # an age far below zero: this host's clock was set back since
        return Answer(
            False,
            shown(age),
            shown(MAX_CLOCK_AGE_SECONDS),
            note="seconds since the venue was asked for its clock",
        )
    most = MAX_CLOCK_OFFSET_SECONDS
    return Answer(abs(offset) <= most, shown(offset), shown(most), note="seconds, venue minus ours")


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

    def judge(_limits: LimitsFacts, most: Decimal) -> Judged:
        notional = worst_notional(order, facts) * quote_rate(facts)
        answer = Answer(notional <= most, shown(notional), shown(most), note="in the reporting currency")
        return answer, share_of(notional, most)

    return bind("max_order_notional", facts, judge)


@rule(DenialCode.MAX_ORDER_QUANTITY)
def maximum_order_quantity(order: OrderFacts, facts: RiskFacts) -> Answer:
    """Our own limit on one order, in base units; an estimate is raised by the cushion."""

    def judge(_limits: LimitsFacts, most: Decimal) -> Judged:
        quantity = most_base_quantity(order, facts)
        return Answer(quantity <= most, shown(quantity), shown(most)), share_of(quantity, most)

    return bind("max_order_quantity", facts, judge)


@rule(DenialCode.PRICE_COLLAR)
def price_collar(order: OrderFacts, facts: RiskFacts) -> Answer:
    """Fat fingers: the limit price against the last price, in both directions, in percent."""
    if order.order_type == OrderType.MARKET:
        return not_applicable(_NO_LIMIT_PRICE)
    return bind("price_collar_pct", facts, _within_collar(lambda: limit_price(order), facts, "limit price"))


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
    if order.signal_price is None:
        return not_applicable("the asker named no price")

    def seen() -> Decimal:
        return need(order.signal_price, DenialCode.SIGNAL_PRICE_COLLAR, "price of the signal")

    return bind("price_collar_pct", facts, _within_collar(seen, facts, "price of the signal"))


def _within_collar(asked: Callable[[], Decimal], facts: RiskFacts, what: str) -> Judge:
    def judge(_limits: LimitsFacts, most: Decimal) -> Judged:
        price, last = asked(), last_price(facts)
        deviation = deviation_pct(price, last)
        note = f"percent: {what} {shown(price)}, last price {shown(last)}"
        answer = Answer(deviation <= most, shown(deviation), shown(most), _age(facts.price.age_seconds), note)
        return answer, share_of(deviation, most)

    return judge


def _age(seconds: Decimal | None) -> str:
    return "" if seconds is None else shown(seconds)


def _rounded(asked: Decimal | None, rounded: Decimal) -> str:
    return "" if asked is None or asked == rounded else f"rounded from {shown(asked)}"
