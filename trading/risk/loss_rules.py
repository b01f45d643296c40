"""The rules about losses: at a limit nothing new is opened, and nothing either while the loss is unknown.

Releasing a halt does not refill the budget: the day's profit and loss is a fact, not a counter.
"""

from __future__ import annotations

from decimal import Decimal

from trading.domain.denials import DenialCode

from .binding import NOT_SET, Judged, bind, limits_setting, share_of, use_of
from .check import Answer, need, need_positive, not_applicable, rule, shown
from .facts import LimitsFacts, OrderFacts, RiskFacts
from .measures import HUNDRED, only_shrinks

_ONLY_SHRINKS = "the order can only shrink the position"
_ZERO = Decimal(0)


def _is_set(name: str, facts: RiskFacts) -> bool:
    return any(True for _ in limits_setting(name, facts))


@rule(DenialCode.DAILY_LOSS)
def daily_loss(order: OrderFacts, facts: RiskFacts) -> Answer:
    """The loss of the day in percent of its first equity, both in the reporting currency."""
    if not _is_set("max_daily_loss_pct", facts):
        return not_applicable(NOT_SET)
    if only_shrinks(order, facts):
        return not_applicable(_ONLY_SHRINKS)

    def judge(limits: LimitsFacts, pct: Decimal) -> Judged:
        use = use_of(limits, facts)
        equity = need_positive(use.day_start_equity, DenialCode.EQUITY_UNKNOWN, "equity at the day's start")
        note = f"{shown(pct)} percent of {shown(equity)}"
        return _above_floor(use.daily_pnl, pct * equity / HUNDRED, note)

    return bind("max_daily_loss_pct", facts, judge)


@rule(DenialCode.DAILY_LOSS)
def daily_loss_amount(order: OrderFacts, facts: RiskFacts) -> Answer:
    """The loss of the day in the reporting currency."""
    if not _is_set("max_daily_loss_usd", facts):
        return not_applicable(NOT_SET)
    if only_shrinks(order, facts):
        return not_applicable(_ONLY_SHRINKS)
    return bind(
        "max_daily_loss_usd",
        facts,
        lambda limits, most: _above_floor(use_of(limits, facts).daily_pnl, most, "in the reporting currency"),
    )


def _above_floor(pnl: Decimal | None, most: Decimal, note: str) -> Judged:
    known = need(pnl, DenialCode.EQUITY_UNKNOWN, "profit or loss of the day")
    return Answer(known > -most, shown(known), shown(-most), note=note), share_of(max(-known, _ZERO), most)


@rule(DenialCode.DRAWDOWN)
def drawdown(order: OrderFacts, facts: RiskFacts) -> Answer:
    """The fall from the highest equity of thirty days, in percent of it."""
    if not _is_set("max_drawdown_pct", facts):
        return not_applicable(NOT_SET)
    if only_shrinks(order, facts):
        return not_applicable(_ONLY_SHRINKS)

    def judge(limits: LimitsFacts, most: Decimal) -> Judged:
        use = use_of(limits, facts)
        peak = need_positive(use.peak_equity, DenialCode.EQUITY_UNKNOWN, "highest equity of thirty days")
        equity = need(use.equity, DenialCode.EQUITY_UNKNOWN, "equity")
        fall = max((peak - equity) * HUNDRED / peak, _ZERO)
        note = f"percent: {shown(equity)} of {shown(peak)}"
        return Answer(fall < most, shown(fall), shown(most), note=note), share_of(fall, most)

    return bind("max_drawdown_pct", facts, judge)
