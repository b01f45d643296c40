"""Automatic halts as a table, and the pure decision between a look and a halt.

A trigger compares something that is in use with a threshold. One look proves nothing: it fires when `agree` of its last
`out_of` looks say so and the newest is one of them. After it fired it rests while the halt stands and `rest_seconds`
longer, and it is armed again as soon as its value is back below `clear_pct` of the threshold; neither ever releases
anything. What cannot be told is no reason to halt: when it lasts `blind_seconds` and something is at stake, the scope
is set to reducing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from trading.domain.enums import HaltScope, TradingState


class LookVerdict(StrEnum):
    OVER = "over"
    NEAR = "near"  # below the threshold, but not so far that the trigger is armed again
    CLEAR = "clear"
    UNKNOWN = "unknown"
    OFF = "off"  # no threshold is set, or nothing is at stake


@dataclass(frozen=True, slots=True)
class TriggerRule:
    """`threshold`: the default of those that are no limit; the others take theirs from the limits in `limits`.

    `halts_at_equal`: whether the threshold itself is too much already.
    """

    name: str
    meaning: str
    action: TradingState
    scopes: tuple[HaltScope, ...]
    unit: str
    limits: tuple[str, ...] = ()
    threshold: Decimal | None = None
    halts_at_equal: bool = True
    agree: int = 2
    out_of: int = 3
    clear_pct: int = 90
    rest_seconds: int = 120
    blind_seconds: int = 0  # 0: blindness is another trigger's business

    @property
    def source(self) -> str:
        """Where its threshold comes from, in words."""
        return " or ".join(f"`{name}`" for name in self.limits) or f"{self.threshold} {self.unit}"


_HALTED, _REDUCING = TradingState.HALTED, TradingState.REDUCING
_ACCOUNTS = (HaltScope.EVERYTHING, HaltScope.ACCOUNT)
_ONE_ACCOUNT = (HaltScope.ACCOUNT,)
_ALL = (HaltScope.EVERYTHING,)

TRIGGER_TABLE: tuple[TriggerRule, ...] = (
    TriggerRule(
        "daily_loss",
        "The loss of the day reached its limit: the global stop.",
        _HALTED,
        _ACCOUNTS,
        "%",
        limits=("max_daily_loss_pct", "max_daily_loss_usd"),
        blind_seconds=60,
    ),
    TriggerRule(
        "drawdown",
        "Equity fell too far below its highest of thirty days.",
        _HALTED,
        _ACCOUNTS,
        "%",
        limits=("max_drawdown_pct",),
        blind_seconds=60,
    ),
    TriggerRule(
        "exposure",
        "What is held is worth more than the kill threshold.",
        _HALTED,
        (*_ACCOUNTS, HaltScope.INSTRUMENT),
        "USD",
        limits=("kill_threshold_usd",),
        halts_at_equal=False,
        blind_seconds=60,
    ),
    TriggerRule(
        "order_errors",
        "Orders of ten minutes failed one after the other: rejected, not accepted or in doubt.",
        _HALTED,
        _ONE_ACCOUNT,
        "orders in a row",
        threshold=Decimal(15),
        clear_pct=50,
    ),
    TriggerRule(
        "denial_storm",
        "Something asks again and again for what is denied; denials by a halt are not counted.",
        _HALTED,
        (HaltScope.ACCOUNT, HaltScope.STRATEGY),
        "denials a minute",
        threshold=Decimal(600),
        clear_pct=50,
    ),
    TriggerRule(
        "in_doubt_age",
        "An order has been in doubt for long.",
        _REDUCING,
        _ONE_ACCOUNT,
        "seconds",
        threshold=Decimal(300),
        clear_pct=50,
    ),
    TriggerRule(
        "in_doubt_count",
        "Many orders are in doubt or quarantined at once.",
        _HALTED,
        _ONE_ACCOUNT,
        "orders",
        threshold=Decimal(25),
        clear_pct=50,
    ),
    TriggerRule(
        "breaks",
        "Differences within their tolerance stand for a minute and nobody has acknowledged them.",
        _REDUCING,
        _ONE_ACCOUNT,
        "breaks",
        threshold=Decimal(10),
        clear_pct=50,
    ),
    TriggerRule(
        "stale_prices",
        "A price that values a position or an order at risk is older than twice the limit for opening.",
        _REDUCING,
        _ONE_ACCOUNT,
        "% of the age allowed",
        threshold=Decimal(200),
        agree=3,
        out_of=4,
        clear_pct=50,
    ),
    TriggerRule(
        "clock_error",
        "This host's clock and the venue's are apart.",
        _REDUCING,
        _ONE_ACCOUNT,
        "seconds",
        threshold=Decimal(5),
        clear_pct=50,
    ),
    TriggerRule(
        "stream_gap",
        "Nobody has confirmed the account's private stream for so long: lost, silent, or not listened to.",
        _REDUCING,
        _ONE_ACCOUNT,
        "seconds",
        threshold=Decimal(60),
        clear_pct=50,
        blind_seconds=60,
    ),
    TriggerRule(
        "disk_space",
        "The disk under HOME_DIR is nearly full: what is used, of all but one gibibyte.",
        _HALTED,
        _ALL,
        "%",
        threshold=Decimal(100),
        clear_pct=99,
    ),
    TriggerRule(
        "alert_channel",
        "In production, alerts have not reached anybody for so long.",
        _HALTED,
        _ALL,
        "seconds",
        threshold=Decimal(300),
        clear_pct=50,
    ),
)
TRIGGER_RULES = {rule.name: rule for rule in TRIGGER_TABLE}

# Two looks nearer than this are one: a sync and the supervisor may look at the same numbers at the same moment.
LEAST_APART = timedelta(milliseconds=500)
# A look before a longer silence confirms nothing any more.
LOOKS_LAST = timedelta(seconds=120)
_KEPT = 8


@dataclass(frozen=True, slots=True)
class TriggerMemory:
    """What a trigger remembers of one scope."""

    looks: tuple[str, ...] = ()
    looked_at: datetime | None = None
    is_armed: bool = True
    resting_until: datetime | None = None
    blind_since: datetime | None = None


def judge_value(rule: TriggerRule, used: Decimal | None, threshold: Decimal | None) -> LookVerdict:
    """None for what is used: it cannot be told. NaN and infinities tell nothing either."""
    if threshold is None:
        return LookVerdict.OFF
    if used is None or not used.is_finite() or not threshold.is_finite():
        return LookVerdict.UNKNOWN
    if used > threshold or (used == threshold and rule.halts_at_equal):
        return LookVerdict.OVER
    return LookVerdict.NEAR if used * 100 > threshold * rule.clear_pct else LookVerdict.CLEAR


def remember(
    memory: TriggerMemory, verdict: LookVerdict, rule: TriggerRule, now: datetime, *, is_engaged: bool
) -> TriggerMemory:
    """One look later. While what it would engage is engaged it rests, whoever engaged it."""
    before = memory.looks
    silence = now - memory.looked_at if memory.looked_at else LOOKS_LAST
    if silence >= LOOKS_LAST:
        before = ()
    if before and silence < LEAST_APART:
        before = before[:-1]
    looks = (*before, verdict.value)[-_KEPT:]
    blind = (memory.blind_since or now) if verdict is LookVerdict.UNKNOWN else None
    resting_until = now + timedelta(seconds=rule.rest_seconds) if is_engaged else memory.resting_until
    return replace(
        memory,
        looks=looks,
        looked_at=now,
        is_armed=memory.is_armed or agrees(looks, rule, (LookVerdict.CLEAR, LookVerdict.OFF)),
        resting_until=resting_until,
        blind_since=blind,
    )


def agrees(looks: Sequence[str], rule: TriggerRule, verdicts: tuple[LookVerdict, ...]) -> bool:
    """Whether enough of the last looks, the newest among them, say one of these."""
    recent = looks[-rule.out_of :]
    wanted = {verdict.value for verdict in verdicts}
    return bool(recent) and recent[-1] in wanted and sum(look in wanted for look in recent) >= rule.agree


def fires(memory: TriggerMemory, rule: TriggerRule, now: datetime) -> bool:
    return agrees(memory.looks, rule, (LookVerdict.OVER,)) and _is_awake(memory, now)


def is_blind(memory: TriggerMemory, rule: TriggerRule, now: datetime) -> bool:
    """Nothing could be told for so long that the scope should only reduce."""
    if not rule.blind_seconds or memory.blind_since is None:
        return False
    return now - memory.blind_since >= timedelta(seconds=rule.blind_seconds) and _is_awake(memory, now)


def _is_awake(memory: TriggerMemory, now: datetime) -> bool:
    """Armed, or rested: a person who released gets the cool-down to act in before it fires again."""
    rested = memory.resting_until is None or now >= memory.resting_until
    return memory.is_armed or rested


def may_be_confirmed(memory: TriggerMemory, rule: TriggerRule, now: datetime) -> bool:
    """Over at the newest look, and one more such look could make it fire: worth asking again at once."""
    is_over = bool(memory.looks) and memory.looks[-1] == LookVerdict.OVER.value
    return is_over and not fires(memory, rule, now) and _is_awake(memory, now)


def after_firing(memory: TriggerMemory, rule: TriggerRule, now: datetime) -> TriggerMemory:
    return replace(memory, is_armed=False, resting_until=now + timedelta(seconds=rule.rest_seconds))
