"""What the triggers could have seen in a stretch of stored history: equity snapshots and orders, as they were written.

Read in the order of time, one look per stored snapshot or per minute of orders. What is not stored (prices between two
syncs, the disk, the clock) cannot be replayed, and is not guessed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Min, Q

from trading.domain.enums import HaltScope, OrderStatus
from trading.domain.money import ZERO, divide
from trading.models import EquityPeak, EquitySnapshot, ExchangeAccount, Order
from trading.risk.triggers import (
    TRIGGER_RULES,
    LookVerdict,
    TriggerMemory,
    after_firing,
    fires,
    judge_value,
    remember,
)

from .limits import EVERYTHING, LimitsSet, read_limits
from .scope_use import PEAK_DAYS
from .trigger_looks import FAILED_STATUSES, FOREIGN_ORIGINS, JUDGED_STATUSES, SWITCH_WORDS
from .valuation import day_start, day_start_equity

REPLAYED = ("daily_loss", "drawdown", "exposure", "order_errors", "denial_storm")
_MINUTE = timedelta(seconds=60)
_SPAN = timedelta(minutes=10)
_LIMITS = {
    "daily_loss": ("max_daily_loss_pct", "max_daily_loss_usd"),
    "drawdown": ("max_drawdown_pct",),
    "exposure": ("kill_threshold_usd",),
}


@dataclass(frozen=True, slots=True)
class PastLook:
    at: datetime
    trigger: str
    account: str
    used: Decimal | None
    threshold: Decimal | None


def past_looks(
    account: ExchangeAccount, since: datetime, until: datetime, other: Mapping[str, Decimal]
) -> Iterator[PastLook]:
    """Every look of one account. `other`: thresholds and limits to try instead of those that held then."""
    looks = [*_of_snapshots(account, since, until, other), *_of_orders(account, since, until, other)]
    yield from sorted(looks, key=lambda look: (look.at, look.trigger))


def _of_snapshots(
    account: ExchangeAccount, since: datetime, until: datetime, other: Mapping[str, Decimal]
) -> Iterator[PastLook]:
    starts: dict[date, Decimal | None] = {}
    peaks: dict[date, Decimal | None] = {}
    limits = _LimitsThen(account)
    rows = EquitySnapshot.objects.filter(account=account, at__gte=since, at__lt=until).order_by("at")
    for row in rows.iterator(chunk_size=2000):
        day = day_start(row.at).date()
        if day not in starts:
            starts[day] = day_start_equity(account, row.at)
            peaks[day] = _peak(account, day)
        equity = None if row.unpriced else row.equity
        values = {
            "max_daily_loss_pct": _percent_below(starts[day], equity),
            "max_daily_loss_usd": _below(starts[day], equity),
            "max_drawdown_pct": _percent_below(peaks[day], equity),
            "kill_threshold_usd": row.exposure,
        }
        for trigger, names in _LIMITS.items():
            for name in names:
                most = other.get(name, limits.value(name, row.at))
                if most is not None:
                    yield PastLook(row.at, trigger, account.name, values[name], most)


class _LimitsThen:
    """The limits of an account along time, asked once a minute at the most."""

    def __init__(self, account: ExchangeAccount) -> None:
        self._scopes = [EVERYTHING, (HaltScope.ACCOUNT, account.name)]
        self._known: tuple[int, LimitsSet] | None = None

    def value(self, name: str, at: datetime) -> Decimal | None:
        minute = int(at.timestamp()) // 60
        if self._known is None or self._known[0] != minute:
            self._known = (minute, read_limits(self._scopes, at))
        found = [getattr(row, name) for row in self._known[1].rows]
        return min((value for value in found if value is not None), default=None)


def _below(start: Decimal | None, equity: Decimal | None) -> Decimal | None:
    return None if start is None or equity is None else max(start - equity, ZERO)


def _percent_below(start: Decimal | None, equity: Decimal | None) -> Decimal | None:
    fall = _below(start, equity)
    return divide(fall * 100, start) if fall is not None and start else None


def _peak(account: ExchangeAccount, day: date) -> Decimal | None:
    days = EquityPeak.objects.filter(account=account, day__lte=day, day__gte=day - timedelta(days=PEAK_DAYS))
    return max(days.values_list("equity", flat=True), default=None)


def _of_orders(
    account: ExchangeAccount, since: datetime, until: datetime, other: Mapping[str, Decimal]
) -> Iterator[PastLook]:
    """At every order: how many failed in a row, and how many were denied in its last minute."""
    errors = other.get("order_errors", TRIGGER_RULES["order_errors"].threshold)
    storm = other.get("denial_storm", TRIGGER_RULES["denial_storm"].threshold)
    orders = Order.objects.filter(account=account, created_at__gte=since, created_at__lt=until)
    rows = orders.exclude(origin__in=FOREIGN_ORIGINS).order_by("created_at")
    failed: deque[datetime] = deque()
    denied: deque[datetime] = deque()
    for at, status, attempt, reason in rows.values_list(
        "created_at", "status", "attempt", "status_reason"
    ).iterator(chunk_size=2000):
        if status == OrderStatus.DENIED and not reason.startswith(SWITCH_WORDS):
            denied.append(at)
            while denied[0] <= at - _MINUTE:
                denied.popleft()
            yield PastLook(at, "denial_storm", account.name, Decimal(len(denied)), storm)
        elif attempt and status in JUDGED_STATUSES:
            if status not in FAILED_STATUSES:
                failed.clear()
            else:
                failed.append(at)
            while failed and failed[0] <= at - _SPAN:
                failed.popleft()
            yield PastLook(at, "order_errors", account.name, Decimal(len(failed)), errors)


def first_history(account: ExchangeAccount) -> datetime | None:
    """When the stored history of an account begins."""
    snapshots = EquitySnapshot.objects.filter(Q(account=account)).aggregate(first=Min("at"))["first"]
    orders = Order.objects.filter(account=account).aggregate(first=Min("created_at"))["first"]
    return min((at for at in (snapshots, orders) if at is not None), default=None)


@dataclass(frozen=True, slots=True)
class PastFiring:
    at: datetime
    trigger: str
    account: str
    action: str
    observed: Decimal
    threshold: Decimal
    until: datetime | None  # when the value was clear again; None: never within the history


@dataclass(slots=True)
class Replay:
    """What would have fired, and how often each trigger looked and could not tell."""

    firings: list[PastFiring]
    looks: dict[str, int]
    unknown: dict[str, int]


def replay(
    accounts: Iterable[ExchangeAccount], since: datetime, until: datetime, other: Mapping[str, Decimal]
) -> Replay:
    """The same decisions on stored looks. After a firing the halt is taken to stand until the value is clear again."""
    found = Replay([], dict.fromkeys(REPLAYED, 0), dict.fromkeys(REPLAYED, 0))
    for account in accounts:
        memories: dict[tuple[str, Decimal | None], TriggerMemory] = {}
        standing: dict[tuple[str, Decimal | None], int] = {}
        for look in past_looks(account, since, until, other):
            rule, key = TRIGGER_RULES[look.trigger], (look.trigger, look.threshold)
            verdict = judge_value(rule, look.used, look.threshold)
            found.looks[look.trigger] += 1
            found.unknown[look.trigger] += verdict is LookVerdict.UNKNOWN
            memory = remember(
                memories.get(key, TriggerMemory()), verdict, rule, look.at, is_engaged=key in standing
            )
            if key in standing and verdict in (LookVerdict.CLEAR, LookVerdict.OFF) and memory.is_armed:
                place = standing.pop(key)
                found.firings[place] = replace(found.firings[place], until=look.at)
            elif key not in standing and fires(memory, rule, look.at):
                assert look.used is not None and look.threshold is not None  # an over look has both
                standing[key] = len(found.firings)
                found.firings.append(
                    PastFiring(
                        look.at, look.trigger, account.name, rule.action, look.used, look.threshold, None
                    )
                )
                memory = after_firing(memory, rule, look.at)
            memories[key] = memory
    return found
