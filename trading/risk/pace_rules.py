"""Rules about how many and how often: open orders, orders per minute, the same order again.

Counts include the order that is being judged, so that observed and limit compare as they read.
"""

from __future__ import annotations

from trading.domain.denials import DenialCode

from .check import Answer, need, not_applicable, rule, shown
from .facts import OrderFacts, RiskFacts
from .measures import limit_value, limits_in


@rule(DenialCode.MAX_OPEN_ORDERS)
def open_orders(order: OrderFacts, facts: RiskFacts) -> Answer:
    return _count_within(facts.open_orders + 1, limits_in(facts).max_open_orders)


@rule(DenialCode.MAX_ORDERS_PER_MINUTE)
def orders_per_minute(order: OrderFacts, facts: RiskFacts) -> Answer:
    return _count_within(facts.orders_last_minute + 1, limits_in(facts).max_orders_per_minute)


def _count_within(count: int, limit: int | None) -> Answer:
    if limit is None:
        return not_applicable("not set")
    return Answer(count <= limit, shown(count), shown(limit), note="with this order")


@rule(DenialCode.DUPLICATE_ORDER)
def duplicate_order(order: OrderFacts, facts: RiskFacts) -> Answer:
    """The same order (account, strategy, symbol, side, quantity, price) again within the window; 0 switches it off."""
    window = limit_value(limits_in(facts).duplicate_window_seconds, "duplicate window")
    if window == 0:
        return not_applicable("switched off")
    if facts.seconds_since_same is None:  # the one fact whose absence is an answer: there was no such order
        return Answer(True, "none", shown(window))
    since = need(facts.seconds_since_same, DenialCode.DUPLICATE_ORDER, "age of the same order")
    return Answer(since >= window, shown(since), shown(window), shown(since), "seconds since the same order")
