"""Automatic halts: daily loss ("global stop") and exposure above the kill threshold.

Evaluated after every sync and after fills, on stored facts with fresh prices only. What cannot be computed engages
nothing here (the risk rules deny opening orders on their own) but is counted as `unknown`, so that a trigger that never
runs or never knows is visible. A halt is engaged once: an already halted scope is not halted again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from trading.domain.actors import system_actor
from trading.domain.enums import HaltScope, TradingState
from trading.domain.money import divide, plain
from trading.metrics import TRIGGER_RUNS
from trading.models import ExchangeAccount, HaltState, LimitsVersion
from trading.queries.limits import limits_in_force
from trading.queries.portfolio import held_exposure
from trading.queries.valuation import PriceTable, day_start_equity, value_account

from .halts import Engagement, engage

log = logging.getLogger(__name__)
ACTOR = system_actor("triggers")


@dataclass(frozen=True, slots=True)
class TriggerFacts:
    """None where a price that enters is missing or older than the limits allow."""

    account: ExchangeAccount
    limits: LimitsVersion
    exposure: Decimal | None
    equity: Decimal | None
    day_start: Decimal | None


# A trigger answers with the reason to halt, an empty text for "all is well", or None for "cannot be computed".
Trigger = Callable[[TriggerFacts], str | None]


def daily_loss(facts: TriggerFacts) -> str | None:
    limit = facts.limits.max_daily_loss_pct
    if limit is None:
        return ""
    if facts.equity is None or facts.day_start is None or facts.day_start <= 0:
        return None
    loss_pct = divide((facts.day_start - facts.equity) * 100, facts.day_start)
    if loss_pct < limit:
        return ""
    return (
        f"global stop: loss of the day {loss_pct:.2f} % of {plain(limit)} % allowed on {facts.account.name}"
    )


def exposure(facts: TriggerFacts) -> str | None:
    limit = facts.limits.kill_threshold_usd
    if limit is None:
        return ""
    if facts.exposure is None:
        return None
    if facts.exposure <= limit:
        return ""
    return f"exposure {facts.exposure:.2f} is above the kill threshold {plain(limit)} on {facts.account.name}"


TRIGGERS: dict[str, Trigger] = {"daily_loss": daily_loss, "exposure": exposure}


def gather_trigger_facts(account: ExchangeAccount, limits: LimitsVersion) -> TriggerFacts:
    prices = PriceTable(account)
    too_old = timezone.now() - timedelta(seconds=int(limits.max_price_age_seconds))
    held, unpriced = held_exposure(account, prices)
    fresh = prices.are_newer_than(too_old, account) and not unpriced
    worth = value_account(account, prices)
    equity = worth.equity if worth is not None and fresh and not worth.unpriced else None
    return TriggerFacts(account, limits, held if fresh else None, equity, day_start_equity(account))


def evaluate_triggers(account: ExchangeAccount) -> list[Engagement]:
    """Ask every trigger about this account and engage what they say."""
    limits = limits_in_force()
    if limits is None:
        return []
    facts = gather_trigger_facts(account, limits)
    engaged = []
    for name, trigger in TRIGGERS.items():
        reason = trigger(facts)
        verdict = "unknown" if reason is None else ("fired" if reason else "quiet")
        TRIGGER_RUNS.labels(name, verdict).inc()
        if reason and not _is_halted():
            log.error("automatic halt: %s", reason)
            engaged.append(engage(HaltScope.EVERYTHING, reason=reason, actor=ACTOR, trigger=name))
    return engaged


def _is_halted() -> bool:
    return HaltState.objects.filter(scope=HaltScope.EVERYTHING, state=TradingState.HALTED).exists()
