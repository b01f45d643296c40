"""The rule about losses: after the day's limit nothing new is opened, and nothing either while the loss is unknown.

Releasing a halt does not refill the budget: the day's profit and loss is a fact, not a counter.
"""

from __future__ import annotations

from trading.domain.denials import DenialCode

from .check import Answer, need, need_positive, not_applicable, rule, shown
from .facts import OrderFacts, RiskFacts
from .measures import HUNDRED, limit_value, limits_in, only_shrinks


@rule(DenialCode.DAILY_LOSS)
def daily_loss(order: OrderFacts, facts: RiskFacts) -> Answer:
    """The loss of the day in percent of its first equity, both in the reporting currency."""
    pct = limits_in(facts).max_daily_loss_pct
    if pct is None:
        return not_applicable("not set")
    if only_shrinks(order, facts):
        return not_applicable("the order can only shrink the position")
    equity = need_positive(facts.day_start_equity, DenialCode.EQUITY_UNKNOWN, "equity at the day's start")
    pnl = need(facts.daily_pnl, DenialCode.EQUITY_UNKNOWN, "profit or loss of the day")
    floor = -limit_value(pct, "maximum daily loss") * equity / HUNDRED
    return Answer(pnl > floor, shown(pnl), shown(floor), note=f"{shown(pct)} percent of {shown(equity)}")
