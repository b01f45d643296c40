"""Rules about how many and how often: open orders, orders and notional per minute, orders per fill, the same again.

Counts include the order that is being judged, so that observed and limit compare as they read.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from trading.domain.denials import DenialCode
from trading.domain.money import divide

from .binding import Judged, bind, bind_always, share_of, use_of
from .check import Answer, need, need_count, need_not_negative, not_applicable, rule, shown
from .facts import LimitsFacts, OrderFacts, RiskFacts, ScopeUse
from .measures import only_shrinks, quote_rate, worst_notional

_WITH_THIS = "with this order"
_ONLY_SHRINKS = "the order can only shrink the position"
# With fewer orders a ratio says nothing: the first order of a day has no fill yet.
RATIO_SAMPLE = 20


@rule(DenialCode.MAX_OPEN_ORDERS)
def open_orders(order: OrderFacts, facts: RiskFacts) -> Answer:
    return _count_within("max_open_orders", lambda use: use.open_orders, facts)


@rule(DenialCode.MAX_ORDERS_PER_MINUTE)
def orders_per_minute(order: OrderFacts, facts: RiskFacts) -> Answer:
    return _count_within("max_orders_per_minute", lambda use: use.orders_last_minute, facts)


def _count_within(name: str, counted: Callable[[ScopeUse], int | None], facts: RiskFacts) -> Answer:
    def judge(limits: LimitsFacts, most: int) -> Judged:
        count = need_count(counted(use_of(limits, facts)), DenialCode.PACE_UNKNOWN, name) + 1
        return Answer(count <= most, shown(count), shown(most), note=_WITH_THIS), share_of(count, most)

    return bind(name, facts, judge)


@rule(DenialCode.MAX_NOTIONAL_PER_MINUTE)
def notional_per_minute(order: OrderFacts, facts: RiskFacts) -> Answer:
    """What the orders of sixty seconds are worth; one that only shrinks a position counts, but is not denied."""
    if only_shrinks(order, facts):
        return not_applicable(_ONLY_SHRINKS)

    def judge(limits: LimitsFacts, most: Decimal) -> Judged:
        before = need_not_negative(
            use_of(limits, facts).notional_last_minute, DenialCode.PACE_UNKNOWN, "notional of the last minute"
        )
        notional = before + worst_notional(order, facts) * quote_rate(facts)
        return Answer(notional <= most, shown(notional), shown(most), note=_WITH_THIS), share_of(
            notional, most
        )

    return bind("max_notional_per_minute", facts, judge)


@rule(DenialCode.ORDER_TO_FILL_RATIO)
def orders_per_fill(order: OrderFacts, facts: RiskFacts) -> Answer:
    """Quoting without trading: orders of the last ten minutes for each of them that had a fill."""
    if only_shrinks(order, facts):
        return not_applicable(_ONLY_SHRINKS)

    def judge(limits: LimitsFacts, most: Decimal) -> Judged:
        use = use_of(limits, facts)
        orders = need_count(use.orders_lately, DenialCode.PACE_UNKNOWN, "orders of the last ten minutes") + 1
        filled = need_count(
            use.filled_lately, DenialCode.PACE_UNKNOWN, "filled orders of the last ten minutes"
        )
        ratio = divide(Decimal(orders), Decimal(max(filled, 1)))
        if orders < RATIO_SAMPLE:
            note = f"{orders} orders: judged from {RATIO_SAMPLE} on"
            return Answer(True, shown(ratio), shown(most), note=note), Decimal(0)
        note = f"{orders} orders, {filled} with a fill, in ten minutes"
        return Answer(ratio <= most, shown(ratio), shown(most), note=note), share_of(ratio, most)

    return bind("max_order_to_fill_ratio", facts, judge)


@rule(DenialCode.REPEATED_EXECUTIONS)
def repeated_executions(order: OrderFacts, facts: RiskFacts) -> Answer:
    """A strategy that goes on and on: after so many orders a person has to look. The approval disables it."""
    if only_shrinks(order, facts):
        return not_applicable(_ONLY_SHRINKS)

    def judge(_limits: LimitsFacts, most: int) -> Judged:
        if facts.executions is None:
            return not_applicable("no strategy"), Decimal(-1)
        count = need_count(facts.executions, DenialCode.PACE_UNKNOWN, "orders of the strategy") + 1
        return Answer(count <= most, shown(count), shown(most), note=_WITH_THIS), share_of(count, most)

    return bind("max_repeated_executions", facts, judge)


@rule(DenialCode.DUPLICATE_ORDER)
def duplicate_order(order: OrderFacts, facts: RiskFacts) -> Answer:
    """The same order (account, strategy, symbol, side, quantity, price) again within the window; 0 switches it off."""
    if order.is_child:
        return not_applicable("a child of an algo: its number tells it from its siblings")

    def judge(_limits: LimitsFacts, window: Decimal) -> Judged:
        if window == 0:
            return not_applicable("switched off"), Decimal(-1)
        if (
            facts.seconds_since_same is None
        ):  # the one fact whose absence is an answer: there was no such order
            return Answer(True, "none", shown(window)), window
        since = need(facts.seconds_since_same, DenialCode.DUPLICATE_ORDER, "age of the same order")
        note = "seconds since the same order"
        return Answer(since >= window, shown(since), shown(window), shown(since), note), window

    return bind_always("duplicate_window_seconds", facts, judge)
