"""Which of several limits binds: every version that applies is asked, and the most restrictive answer is the rule's.

A limit that is broken beats one that holds, and of two the one with less room left is told, with the scope and version
it came from. So an order passes exactly if it would pass under each version alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trading.domain.denials import DenialCode
from trading.domain.money import divide

from .check import UNKNOWN, Answer, UnknownFact, need, not_applicable
from .facts import LimitsFacts, RiskFacts, ScopeUse

NOT_SET = "not set"
_FULL = Decimal("1e18")  # more than any share: a limit of zero that is used at all

# An answer, and the share of its limit that is used (1: all of it).
Judged = tuple[Answer, Decimal]
Judge = Callable[[LimitsFacts, Any], Judged]


def limits_of(facts: RiskFacts) -> tuple[LimitsFacts, ...]:
    """All versions that apply. Without one for everything nothing may be judged."""
    if facts.limits is None:
        raise UnknownFact(DenialCode.LIMITS_MISSING, "limits", UNKNOWN)
    return (facts.limits, *facts.narrower)


def limits_setting(name: str, facts: RiskFacts) -> Iterator[tuple[LimitsFacts, Any]]:
    """The versions that set this limit, with its value. One that is no number denies."""
    for limits in limits_of(facts):
        value = getattr(limits, name)
        if isinstance(value, Decimal):
            value = need(value, DenialCode.LIMITS_MISSING, name)
        if value is not None:
            yield limits, value


def bind(name: str, facts: RiskFacts, judge: Judge) -> Answer:
    """The most restrictive answer of all versions that set the limit `name`."""
    worst: tuple[bool, Decimal] | None = None
    told = not_applicable(NOT_SET)
    for limits, value in limits_setting(name, facts):
        answer, share = judge(limits, value)
        rank = (not answer.passed, share)
        if worst is None or rank > worst:
            worst, told = rank, replace(answer, source=limits.source)
    return told


def bind_always(name: str, facts: RiskFacts, judge: Judge) -> Answer:
    """As `bind`, for a limit without which nothing may be judged."""
    if not any(True for _ in limits_setting(name, facts)):
        raise UnknownFact(DenialCode.LIMITS_MISSING, name, UNKNOWN)
    return bind(name, facts, judge)


def share_of(used: Decimal | int, limit: Decimal | int) -> Decimal:
    if limit > 0:
        return divide(Decimal(used), Decimal(limit))
    return _FULL if used > 0 else Decimal(0)


def use_of(limits: LimitsFacts, facts: RiskFacts) -> ScopeUse:
    """What the scope of these limits has in use: its own numbers, or those of the account that stand in the facts."""
    return limits.use or ScopeUse(
        symbol_elsewhere=Decimal(0),
        total_elsewhere=Decimal(0),
        positions=len(facts.open_positions),
        open_orders=facts.open_orders,
        orders_last_minute=facts.orders_last_minute,
        notional_last_minute=facts.notional_last_minute,
        orders_lately=facts.orders_lately,
        filled_lately=facts.filled_lately,
        in_doubt_notional=facts.in_doubt_notional,
        daily_pnl=facts.daily_pnl,
        day_start_equity=facts.day_start_equity,
        equity=facts.equity,
        peak_equity=facts.peak_equity,
    )
