"""Rules about what the account holds and may come to hold: balances, exposure, positions, reduce-only.

Exposure is counted at its worst: every order that may still fill is taken as filled, on the side that hurts more. An
order that adds nothing to that worst case passes the exposure limits even where they are exceeded already, so that a
limit never holds anybody in a position.
"""

from __future__ import annotations

from decimal import Decimal

from trading.domain.denials import DenialCode
from trading.domain.enums import OrderType, Side

from .check import Answer, need, need_not_negative, not_applicable, rule, shown
from .facts import OrderFacts, RiskFacts
from .measures import (
    MARKET_CUSHION,
    ONE,
    adds_exposure,
    base_quantity,
    exposure_after,
    exposure_before,
    last_price,
    limit_value,
    limits_in,
    most_base_quantity,
    only_shrinks,
    order_notional,
    reporting_price,
)

_NOT_SET = "not set"
_ADDS_NOTHING = "the order adds nothing to the largest possible position"
_ONLY_SHRINKS = "the order can only shrink the position"
_ZERO = Decimal(0)


@rule(DenialCode.INSUFFICIENT_BALANCE)
def free_balance(order: OrderFacts, facts: RiskFacts) -> Answer:
    """What the order takes against what is free: quote with the fee for a BUY, base for a SELL."""
    limit = limit_value(limits_in(facts).max_balance_age_seconds, "maximum balance age")
    age = need(facts.balance_age_seconds, DenialCode.BALANCE_UNKNOWN, "age of the balances")
    if abs(age) > limit:
        return Answer(
            False, shown(age), shown(limit), shown(age), "age in seconds", DenialCode.BALANCE_UNKNOWN
        )
    is_buy = order.side == Side.BUY
    asset = facts.instrument.quote_asset if is_buy else facts.instrument.base_asset
    needed = _quote_needed(order, facts) if is_buy else most_base_quantity(order, facts)
    free = _free(asset, facts)
    return Answer(needed <= free, shown(needed), shown(free), shown(age), f"{asset} needed against free")


def _free(asset: str, facts: RiskFacts) -> Decimal:
    """A known account that does not list an asset holds none of it."""
    balances = facts.free_balances
    return need(
        balances if balances is None else balances.get(asset, _ZERO), DenialCode.BALANCE_UNKNOWN, asset
    )


def _quote_needed(order: OrderFacts, facts: RiskFacts) -> Decimal:
    """A market BUY by base quantity is priced at the worse of last price and best ask, plus the cushion."""
    rate = need(facts.taker_fee_rate, DenialCode.BALANCE_UNKNOWN, "fee rate")
    with_fee = ONE + max(rate, _ZERO)
    if order.order_type != OrderType.MARKET or order.quote_quantity is not None:
        return order_notional(order, facts) * with_fee
    price = last_price(facts)
    if facts.price.ask is not None:
        price = max(price, need(facts.price.ask, DenialCode.PRICE_MISSING, "best ask"))
    return base_quantity(order, facts) * price * (ONE + MARKET_CUSHION) * with_fee


@rule(DenialCode.EXPOSURE_SYMBOL)
def symbol_exposure(order: OrderFacts, facts: RiskFacts) -> Answer:
    limit = limits_in(facts).exposure_limit_symbol
    return _exposure_within(limit, _ZERO, order, facts)


@rule(DenialCode.EXPOSURE_TOTAL)
def total_exposure(order: OrderFacts, facts: RiskFacts) -> Answer:
    limit = limits_in(facts).exposure_limit_total
    return _exposure_within(limit, facts.others_exposure, order, facts)


def _exposure_within(
    limit: Decimal | None, others: Decimal | None, order: OrderFacts, facts: RiskFacts
) -> Answer:
    if limit is None:
        return not_applicable(_NOT_SET)
    maximum = limit_value(limit, "exposure limit")
    if not adds_exposure(order, facts):
        return not_applicable(_ADDS_NOTHING)
    rest = need_not_negative(others, DenialCode.EXPOSURE_UNKNOWN, "exposure of the other symbols")
    exposure = exposure_after(order, facts).worst_quantity * reporting_price(facts) + rest
    return Answer(exposure <= maximum, shown(exposure), shown(maximum), note="in the reporting currency")


@rule(DenialCode.MAX_CONCURRENT_POSITIONS)
def concurrent_positions(order: OrderFacts, facts: RiskFacts) -> Answer:
    """Counts the order's own symbol once: only an order that opens one more can be denied."""
    limit = limits_in(facts).max_concurrent_positions
    if limit is None:
        return not_applicable(_NOT_SET)
    held = len(facts.open_positions)
    if order.symbol in facts.open_positions:
        return Answer(True, shown(held), shown(limit), note="no further position: the symbol counts already")
    if only_shrinks(order, facts):
        return Answer(True, shown(held), shown(limit), note=_ONLY_SHRINKS)
    return Answer(held + 1 <= limit, shown(held + 1), shown(limit), note="with this order's position")


@rule(DenialCode.REDUCE_ONLY_WOULD_OPEN)
def reduce_only(order: OrderFacts, facts: RiskFacts) -> Answer:
    if order.reduce_only is False:
        return not_applicable("not a reduce-only order")
    exposure, is_buy = exposure_before(facts), order.side == Side.BUY
    pending = exposure.pending_buy if is_buy else exposure.pending_sell
    # What is left to shrink: the position against this side, less what pending orders of this side will take.
    room = max(-exposure.position * order.side.sign - pending, _ZERO)
    note = f"position {shown(exposure.position)}, pending on this side {shown(pending)}"
    return Answer(only_shrinks(order, facts), shown(most_base_quantity(order, facts)), shown(room), note=note)
