"""Rules about what the account holds and may come to hold: balances, exposure, positions, reduce-only.

Exposure is counted at its worst: every order that may still fill is taken as filled, on the side that hurts more. An
order that adds nothing to that worst case passes the exposure limits even where they are exceeded already, so that a
limit never holds anybody in a position.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from trading.domain.denials import DenialCode
from trading.domain.enums import OrderType, Side

from .binding import Judge, Judged, bind, bind_always, limits_setting, share_of, use_of
from .check import Answer, need, need_count, need_not_negative, not_applicable, rule, shown
from .facts import LimitsFacts, OrderFacts, RiskFacts, ScopeUse
from .measures import (
    MARKET_CUSHION,
    ONE,
    adds_exposure,
    base_quantity,
    exposure_after,
    exposure_before,
    last_price,
    most_base_quantity,
    only_shrinks,
    order_notional,
    reporting_price,
)

_ADDS_NOTHING = "the order adds nothing to the largest possible position"
_ONLY_SHRINKS = "the order can only shrink the position"
_ZERO = Decimal(0)


@rule(DenialCode.INSUFFICIENT_BALANCE)
def free_balance(order: OrderFacts, facts: RiskFacts) -> Answer:
    """What the order takes against what is free: quote with the fee for a BUY, base for a SELL."""
    age = need(facts.balance_age_seconds, DenialCode.BALANCE_UNKNOWN, "age of the balances")
    fresh = bind_always("max_balance_age_seconds", facts, _age_within(age, DenialCode.BALANCE_UNKNOWN))
    if not fresh.passed:
        return fresh
    is_buy = order.side == Side.BUY
    asset = facts.instrument.quote_asset if is_buy else facts.instrument.base_asset
    needed = _quote_needed(order, facts) if is_buy else most_base_quantity(order, facts)
    free = _free(asset, facts)
    return Answer(needed <= free, shown(needed), shown(free), shown(age), f"{asset} needed against free")


@rule(DenialCode.POSITIONS_STALE)
def positions_fresh(order: OrderFacts, facts: RiskFacts) -> Answer:
    """Positions and open orders are as good as the last complete sync: fills that nobody fetched are not in them."""
    age = need(facts.positions_age_seconds, DenialCode.POSITIONS_STALE, "age of the last complete sync")
    return bind_always("max_balance_age_seconds", facts, _age_within(age, DenialCode.POSITIONS_STALE))


def _age_within(age: Decimal, code: DenialCode) -> Judge:
    def judge(_limits: LimitsFacts, most: Decimal) -> Judged:
        fits = abs(age) <= most
        answer = Answer(fits, shown(age), shown(most), shown(age), "age in seconds", None if fits else code)
        return answer, share_of(abs(age), most)

    return judge


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
    return _exposure_within("exposure_limit_symbol", lambda use: use.symbol_elsewhere, order, facts)


@rule(DenialCode.EXPOSURE_TOTAL)
def total_exposure(order: OrderFacts, facts: RiskFacts) -> Answer:
    def rest(use: ScopeUse) -> Decimal:
        own = need_not_negative(
            facts.others_exposure, DenialCode.EXPOSURE_UNKNOWN, "exposure of the other symbols"
        )
        elsewhere = need_not_negative(
            use.total_elsewhere, DenialCode.EXPOSURE_UNKNOWN, "exposure of the other accounts"
        )
        return own + elsewhere

    return _exposure_within("exposure_limit_total", rest, order, facts)


def _exposure_within(
    name: str, others: Callable[[ScopeUse], Decimal | None], order: OrderFacts, facts: RiskFacts
) -> Answer:
    def judge(limits: LimitsFacts, most: Decimal) -> Judged:
        rest = need_not_negative(
            others(use_of(limits, facts)), DenialCode.EXPOSURE_UNKNOWN, "exposure of the other accounts"
        )
        exposure = exposure_after(order, facts).worst_quantity * reporting_price(facts) + rest
        answer = Answer(exposure <= most, shown(exposure), shown(most), note="in the reporting currency")
        return answer, share_of(exposure, most)

    if any(True for _ in limits_setting(name, facts)) and not adds_exposure(order, facts):
        return not_applicable(_ADDS_NOTHING)
    return bind(name, facts, judge)


@rule(DenialCode.MAX_CONCURRENT_POSITIONS)
def concurrent_positions(order: OrderFacts, facts: RiskFacts) -> Answer:
    """Counts the order's own symbol once: only an order that opens one more can be denied."""

    def judge(limits: LimitsFacts, most: int) -> Judged:
        held = need_count(use_of(limits, facts).positions, DenialCode.EXPOSURE_UNKNOWN, "open positions")
        if order.symbol in facts.open_positions:
            note = "no further position: the symbol counts already"
            return Answer(True, shown(held), shown(most), note=note), share_of(held, most)
        if only_shrinks(order, facts):
            return Answer(True, shown(held), shown(most), note=_ONLY_SHRINKS), share_of(held, most)
        answer = Answer(held + 1 <= most, shown(held + 1), shown(most), note="with this order's position")
        return answer, share_of(held + 1, most)

    return bind("max_concurrent_positions", facts, judge)


@rule(DenialCode.IN_DOUBT_NOTIONAL)
def in_doubt_notional(order: OrderFacts, facts: RiskFacts) -> Answer:
    """What may or may not exist at the venue: beyond the limit nothing is opened until it is known."""
    if only_shrinks(order, facts):
        return not_applicable(_ONLY_SHRINKS)

    def judge(limits: LimitsFacts, most: Decimal) -> Judged:
        doubt = need_not_negative(
            use_of(limits, facts).in_doubt_notional, DenialCode.EXPOSURE_UNKNOWN, "notional in doubt"
        )
        answer = Answer(doubt <= most, shown(doubt), shown(most), note="in the reporting currency")
        return answer, share_of(doubt, most)

    return bind("max_in_doubt_notional", facts, judge)


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
