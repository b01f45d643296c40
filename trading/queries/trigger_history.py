"""What the triggers could have seen in a stretch of stored history: equity snapshots and orders, as they were written.

Read in the order of time, one look per stored snapshot and per order, with what was known then and nothing that came
later. What is not stored (prices between two syncs, what one symbol was worth, the disk, the clock, for how long
something was in doubt or different) cannot be replayed, and is not guessed: NOT_REPLAYED names it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import F, Min, OuterRef, Q, Subquery

from trading.domain.enums import HaltScope, OrderStatus
from trading.domain.money import ZERO, add, divide
from trading.models import EquityPeak, EquitySnapshot, ExchangeAccount, LimitsVersion, Order
from trading.risk.triggers import (
    TRIGGER_RULES,
    LookVerdict,
    TriggerMemory,
    after_firing,
    fires,
    judge_value,
    remember,
)

from .limits import EVERYTHING, read_limits
from .scope_use import PEAK_DAYS, PEAK_LOOKS, PEAK_SPAN, total
from .trigger_looks import FAILED_STATUSES, FOREIGN_ORIGINS, JUDGED_STATUSES, SWITCH_WORDS
from .valuation import day_start

REPLAYED = ("daily_loss", "drawdown", "exposure", "order_errors", "denial_storm")
_EVERYTHING = str(HaltScope.EVERYTHING)
_MINUTE = timedelta(seconds=60)
_SPAN = timedelta(minutes=10)
NOT_REPLAYED = tuple(name for name in TRIGGER_RULES if name not in REPLAYED)
_LIMITS = {
    "daily_loss": ("max_daily_loss_pct", "max_daily_loss_usd"),
    "drawdown": ("max_drawdown_pct",),
    "exposure": ("kill_threshold_usd",),
}


@dataclass(frozen=True, slots=True)
class PastLook:
    at: datetime
    trigger: str
    scope: str
    used: Decimal | None
    threshold: Decimal | None


def past_looks(
    accounts: Sequence[ExchangeAccount], since: datetime, until: datetime, other: Mapping[str, Decimal]
) -> Iterator[PastLook]:
    """Every look, in the order of time. `other`: thresholds and limits to try instead of those that held then; a limit
    is tried on everything, which is these accounts together."""
    looks = [*_of_snapshots(accounts, since, until, other)]
    for account in accounts:
        looks += _of_orders(account, since, until, other)
    yield from sorted(looks, key=lambda look: (look.at, look.trigger, look.scope))


def _of_snapshots(
    accounts: Sequence[ExchangeAccount], since: datetime, until: datetime, other: Mapping[str, Decimal]
) -> Iterator[PastLook]:
    """At every snapshot: its account by itself, and all accounts together as they were seen last."""
    limits = _LimitsThen(accounts)
    history = {account.pk: _AccountHistory(account, since) for account in accounts}
    rows = EquitySnapshot.objects.filter(account__in=accounts, at__gte=since, at__lt=until).order_by("at")
    for row in rows.iterator(chunk_size=2000):
        own = history[row.account_id]
        own.see(row)
        seen = [each for each in history.values() if each.last is not None]
        for scope, group in ((own.scope, [own]), (_EVERYTHING, seen)):
            values = _measure(group)
            for trigger, names in _LIMITS.items():
                for name in names:
                    tried = other.get(name) if scope == _EVERYTHING else None
                    most = tried if tried is not None else limits.value(scope, name, row.at)
                    if most is not None:
                        yield PastLook(row.at, trigger, scope, values[name], most)


class _AccountHistory:
    """One account along time: its last snapshot, and its highest equity of each day, transfers left out."""

    def __init__(self, account: ExchangeAccount, since: datetime) -> None:
        self.scope = f"{HaltScope.ACCOUNT} {account.name}"
        self.last: EquitySnapshot | None = None
        self._recent: deque[tuple[datetime, Decimal]] = deque(maxlen=PEAK_LOOKS)
        self.peaks = _peaks_before(account, day_start(since).date())

    def see(self, row: EquitySnapshot) -> None:
        self.last = row
        if row.unpriced:
            return
        self._recent.append((row.at, add(row.equity, -row.transfers)))
        while self._recent[0][0] <= row.at - PEAK_SPAN:
            self._recent.popleft()
        if len(self._recent) == PEAK_LOOKS:
            day, confirmed = day_start(row.at).date(), min(own for _at, own in self._recent)
            self.peaks[day] = max(confirmed, self.peaks.get(day, confirmed))


def _peaks_before(account: ExchangeAccount, day: date) -> dict[date, Decimal]:
    """The days that were over when the replay begins. What came from outside until a peak is not part of it."""
    own = EquitySnapshot.objects.filter(account=OuterRef("account"), at__lte=OuterRef("at")).order_by("-at")
    days = EquityPeak.objects.filter(account=account, day__lt=day, day__gte=day - timedelta(days=PEAK_DAYS))
    moved = own.annotate(booked=F("transfers") - F("unexplained")).values("booked")
    rows = days.annotate(moved=Subquery(moved[:1])).values_list("day", "equity", "moved")
    return {peak_day: add(equity, -(moved or ZERO)) for peak_day, equity, moved in rows}


def _measure(group: Sequence[_AccountHistory]) -> dict[str, Decimal | None]:
    """What the limits bound, of these accounts together; None where one of them could not be told."""
    rows = [each.last for each in group if each.last is not None]
    equity = total(None if row.unpriced else row.equity for row in rows)
    gain = total(None if row.unpriced else row.daily_pnl for row in rows)
    start = add(equity, -gain) if equity is not None and gain is not None else None
    return {
        "max_daily_loss_pct": _percent_below(start, equity),
        "max_daily_loss_usd": _below(start, equity),
        "max_drawdown_pct": _percent_below(_peak(group, rows), equity),
        "kill_threshold_usd": total(row.exposure for row in rows),
    }


def _peak(group: Sequence[_AccountHistory], rows: Sequence[EquitySnapshot]) -> Decimal | None:
    """The best day of thirty, all accounts together, with what was moved in and out until now."""
    first = day_start(max(row.at for row in rows)).date() - timedelta(days=PEAK_DAYS)
    sums: dict[date, Decimal] = {}
    for each, row in zip(group, rows, strict=True):
        for day, own in each.peaks.items():
            if day >= first:
                sums[day] = add(sums.get(day, ZERO), add(own, row.transfers))
    return max(sums.values(), default=None)


class _LimitsThen:
    """The limits of each scope along time, asked once a minute at the most."""

    def __init__(self, accounts: Sequence[ExchangeAccount]) -> None:
        self._scopes = [EVERYTHING, *((HaltScope.ACCOUNT, account.name) for account in accounts)]
        self._known: tuple[int, dict[str, LimitsVersion]] | None = None

    def value(self, scope: str, name: str, at: datetime) -> Decimal | None:
        minute = int(at.timestamp()) // 60
        if self._known is None or self._known[0] != minute:
            self._known = (minute, {row.scope_name: row for row in read_limits(self._scopes, at).rows})
        row = self._known[1].get(scope)
        return getattr(row, name) if row else None


def _below(start: Decimal | None, equity: Decimal | None) -> Decimal | None:
    return None if start is None or equity is None else max(start - equity, ZERO)


def _percent_below(start: Decimal | None, equity: Decimal | None) -> Decimal | None:
    fall = _below(start, equity)
    return divide(fall * 100, start) if fall is not None and start else None


def _of_orders(
    account: ExchangeAccount, since: datetime, until: datetime, other: Mapping[str, Decimal]
) -> Iterator[PastLook]:
    """At every order: how many failed in a row, and how many were denied in its last minute."""
    errors = other.get("order_errors", TRIGGER_RULES["order_errors"].threshold)
    storm = other.get("denial_storm", TRIGGER_RULES["denial_storm"].threshold)
    orders = Order.objects.filter(account=account, created_at__gte=since, created_at__lt=until)
    rows = orders.exclude(origin__in=FOREIGN_ORIGINS).order_by("created_at")
    scope = f"{HaltScope.ACCOUNT} {account.name}"
    failed: deque[datetime] = deque()
    denied: deque[datetime] = deque()
    for at, status, attempt, reason in rows.values_list(
        "created_at", "status", "attempt", "status_reason"
    ).iterator(chunk_size=2000):
        if status == OrderStatus.DENIED and not reason.startswith(SWITCH_WORDS):
            denied.append(at)
            while denied[0] <= at - _MINUTE:
                denied.popleft()
            yield PastLook(at, "denial_storm", scope, Decimal(len(denied)), storm)
        elif attempt and status in JUDGED_STATUSES:
            if status not in FAILED_STATUSES:
                failed.clear()
            else:
                failed.append(at)
            while failed and failed[0] <= at - _SPAN:
                failed.popleft()
            yield PastLook(at, "order_errors", scope, Decimal(len(failed)), errors)


def first_history(account: ExchangeAccount) -> datetime | None:
    """When the stored history of an account begins."""
    snapshots = EquitySnapshot.objects.filter(Q(account=account)).aggregate(first=Min("at"))["first"]
    orders = Order.objects.filter(account=account).aggregate(first=Min("created_at"))["first"]
    return min((at for at in (snapshots, orders) if at is not None), default=None)


@dataclass(frozen=True, slots=True)
class PastFiring:
    at: datetime
    trigger: str
    scope: str
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
    memories: dict[tuple[str, str, Decimal | None], TriggerMemory] = {}
    standing: dict[tuple[str, str, Decimal | None], int] = {}
    for look in past_looks(list(accounts), since, until, other):
        rule, key = TRIGGER_RULES[look.trigger], (look.trigger, look.scope, look.threshold)
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
                PastFiring(look.at, look.trigger, look.scope, rule.action, look.used, look.threshold, None)
            )
            memory = after_firing(memory, rule, look.at)
        memories[key] = memory
    return found
