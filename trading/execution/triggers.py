"""Automatic halts: looks are remembered, confirmed, and engage what the table says. What each one is: risk/triggers.py.

Asked after every sync, and by the supervisor and beat whether or not anybody syncs. A look that is over its threshold
is confirmed by the next ones; after a sync it is confirmed at once, a second later and with prices asked anew, so that
a real loss halts within one sync and one bad tick does not halt at all. What cannot be told sets to reducing after a
minute. Engaging comes first and is remembered afterwards: a process that dies in between is asked again, never silent.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading.domain.actors import system_actor
from trading.domain.enums import HaltScope, TradingState
from trading.domain.errors import LeviError, VenueError
from trading.domain.money import plain
from trading.locking import lock_trigger_states
from trading.market import refresh_prices
from trading.metrics import TRIGGER_RUNS
from trading.models import ExchangeAccount, HaltState, Instrument, TriggerState
from trading.queries.pending import exposures, pending_orders
from trading.queries.trigger_looks import TriggerLook, take_looks
from trading.risk.triggers import (
    TRIGGER_RULES,
    LookVerdict,
    TriggerMemory,
    TriggerRule,
    after_firing,
    fires,
    is_blind,
    judge_value,
    may_be_confirmed,
    remember,
)

from .halts import Engagement, engage
from .limit_bands import warn_of_limits
from .silence_watch import watch_silence

log = logging.getLogger(__name__)
ACTOR = system_actor("triggers")
CONFIRM_SECONDS = 1.0
MOST_CONFIRMATIONS = 3
# The supervisor leaves looking to the syncs as long as they do it.
LOOK_SECONDS = timedelta(seconds=5)
_FORGET = timedelta(hours=1)
_TEXT = 300


@dataclass(frozen=True, slots=True)
class Remembered:
    look: TriggerLook
    rule: TriggerRule
    memory: TriggerMemory
    verdict: LookVerdict


def evaluate_triggers(account: ExchangeAccount | None = None) -> list[Engagement]:
    """Look, remember, confirm where it is worth it, and engage. `account`: the one that was just synced."""
    remembered = _look_and_remember(account)
    if account is not None:
        for _again in range(MOST_CONFIRMATIONS):
            if not any(_can_be_confirmed(each) for each in remembered):
                break
            time.sleep(CONFIRM_SECONDS)
            _ask_prices_anew(account)
            remembered = _look_and_remember(account)
    return [done for each in remembered if (done := _act_on(each)) is not None]


def _can_be_confirmed(each: Remembered) -> bool:
    return may_be_confirmed(each.memory, each.rule, timezone.now()) and not _stands(
        each.look.scope, each.look.target, each.rule.action
    )


def _ask_prices_anew(account: ExchangeAccount) -> None:
    symbols = list(exposures(account, pending_orders(account)))
    rows = Instrument.objects.filter(venue=account.venue, environment=account.environment, symbol__in=symbols)
    try:
        refresh_prices(account, list(rows))
    except VenueError as error:
        log.warning("no second look at the prices of %s: %s", account.name, error.code)


def _look_and_remember(account: ExchangeAccount | None) -> list[Remembered]:
    """One look of every trigger, written beside those before it."""
    by_scope: dict[tuple[HaltScope, str], list[TriggerLook]] = defaultdict(list)
    for look in take_looks(account):
        by_scope[look.scope, look.target].append(look)
    remembered: list[Remembered] = []
    for (scope, target), looks in sorted(by_scope.items()):
        with transaction.atomic():
            rows = lock_trigger_states(scope, target)
            now = timezone.now()
            kept = [_remember_one(look, rows.get(look.trigger), now) for look in looks]
            TriggerState.objects.bulk_create(
                [_as_row(each, rows.get(each.look.trigger)) for each in kept],
                update_conflicts=True,
                unique_fields=["trigger", "scope", "target"],
                update_fields=_WRITTEN,
            )
        remembered += kept
    for each in remembered:
        TRIGGER_RUNS.labels(each.rule.name, _VERDICT_WORDS[each.verdict]).inc()
    return remembered


_WRITTEN = ["looks", "observed", "limit", "evaluated_at", "is_armed", "resting_until", "blind_since"]
_VERDICT_WORDS = {
    LookVerdict.OVER: "fired",
    LookVerdict.NEAR: "quiet",
    LookVerdict.CLEAR: "quiet",
    LookVerdict.OFF: "quiet",
    LookVerdict.UNKNOWN: "unknown",
}


def _remember_one(look: TriggerLook, row: TriggerState | None, now: datetime) -> Remembered:
    rule = TRIGGER_RULES[look.trigger]
    verdict = judge_value(rule, look.used, look.threshold)
    if verdict is LookVerdict.UNKNOWN and not look.at_stake:
        verdict = LookVerdict.OFF
    engaged = _stands(look.scope, look.target, rule.action)
    memory = remember(_memory_of(row), verdict, rule, now, is_engaged=engaged)
    return Remembered(look, rule, memory, verdict)


def _memory_of(row: TriggerState | None) -> TriggerMemory:
    if row is None:
        return TriggerMemory()
    return TriggerMemory(tuple(row.looks), row.evaluated_at, row.is_armed, row.resting_until, row.blind_since)


def _as_row(each: Remembered, before: TriggerState | None) -> TriggerState:
    look, memory = each.look, each.memory
    return TriggerState(
        trigger=look.trigger,
        scope=look.scope,
        target=look.target,
        looks=list(memory.looks),
        observed="" if look.used is None else plain(look.used)[:_TEXT],
        limit="" if look.threshold is None else plain(look.threshold)[:60],
        evaluated_at=memory.looked_at or timezone.now(),
        fired_at=before.fired_at if before else None,
        is_armed=memory.is_armed,
        resting_until=memory.resting_until,
        blind_since=memory.blind_since,
    )


def _stands(scope: HaltScope, target: str, state: TradingState) -> bool:
    """Whether this scope, or everything, is restricted as much already."""
    rows = HaltState.objects.filter(scope=scope, target=target) | HaltState.objects.filter(
        scope=HaltScope.EVERYTHING
    )
    return any(TradingState(row.state).restriction >= state.restriction for row in rows)


def _act_on(each: Remembered) -> Engagement | None:
    """Engage what this trigger says, once: what stands already stays as it is."""
    now = timezone.now()
    if fires(each.memory, each.rule, now):
        state, reason = each.rule.action, each.look.words
    elif is_blind(each.memory, each.rule, now):
        state = TradingState.REDUCING
        missing = each.look.words or "prices, balances or the day's start"
        reason = f"{each.rule.name} cannot be told for {each.rule.blind_seconds} s: {missing}"
    else:
        return None
    if _stands(each.look.scope, each.look.target, state):
        return None
    log.error("automatic halt: %s", reason)
    try:
        done = engage(
            each.look.scope, each.look.target, state=state, reason=reason, actor=ACTOR, trigger=each.rule.name
        )
    except LeviError as error:
        log.error("the trigger %s could not engage: %s", each.rule.name, error)
        return None
    _note_firing(each, now)
    return done


def _note_firing(each: Remembered, now: datetime) -> None:
    memory = after_firing(each.memory, each.rule, now)
    TriggerState.objects.filter(
        trigger=each.rule.name, scope=each.look.scope, target=each.look.target
    ).update(fired_at=now, is_armed=memory.is_armed, resting_until=memory.resting_until)


def watch_triggers() -> list[Engagement]:
    """What the supervisor and beat do: look where nobody has looked, and say what does not run at all."""
    engaged: list[Engagement] = []
    if _is_due():
        engaged = evaluate_triggers()
        TriggerState.objects.filter(evaluated_at__lt=timezone.now() - _FORGET).delete()
    warn_of_limits()
    watch_silence()
    return engaged


def _is_due() -> bool:
    """A sync looks at its own account only: all are looked at as soon as one has waited for it."""
    names = set(
        ExchangeAccount.objects.filter(mode=settings.LEVI_MODE, is_enabled=True).values_list(
            "name", flat=True
        )
    )
    young = TriggerState.objects.filter(evaluated_at__gt=timezone.now() - LOOK_SECONDS)
    looked_at = set(young.filter(scope=HaltScope.ACCOUNT).values_list("target", flat=True))
    return not young.filter(scope=HaltScope.EVERYTHING).exists() or not names <= looked_at
