"""The equity curve, its drawdown, the days' bars and the halts beside them, from stored snapshots.

Money from outside is no gain: drawdown is measured on the equity less transfers, against its peak so far. Several
accounts are summed only where every one of them is known. Never reads more rows than points were asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone

from trading.domain.enums import HaltScope, TradingState
from trading.domain.money import ZERO, add, divide
from trading.models import EquitySnapshot, ExchangeAccount, HaltChange

from .valuation import day_start

MOST_POINTS = 500
MOST_HALTS = 200


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """`drawdown`: how far the equity less transfers is below its peak, as an amount; 0 at the peak."""

    at: datetime
    equity: Decimal
    daily_pnl: Decimal | None
    drawdown: Decimal


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One trading day: the equity it began and ended with, its extremes, and the PnL without transfers."""

    day: date
    first: Decimal
    last: Decimal
    low: Decimal
    high: Decimal
    pnl: Decimal


@dataclass(frozen=True, slots=True)
class RestrictedSpan:
    """A time in which a scope was not active; `until` is None while it lasts."""

    scope: str
    target: str
    state: str
    since: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Drawdown:
    """`peak` and `current` are equity as if today's transfers had been there from the start."""

    peak: Decimal
    current: Decimal
    amount: Decimal
    percent: Decimal


# One row per bucket and account: the last complete snapshot in it.
_SERIES = """
WITH wanted AS (SELECT id FROM trading_exchangeaccount WHERE id = ANY(%(accounts)s)),
     last AS (
    SELECT DISTINCT ON (account_id, bucket) account_id, bucket, at, equity, transfers, peak, daily_pnl
      FROM (SELECT s.*, width_bucket(extract(epoch FROM at), %(begin)s, %(end)s, %(points)s) AS bucket
              FROM trading_equitysnapshot s
             WHERE account_id IN (SELECT id FROM wanted) AND at >= to_timestamp(%(begin)s)
               AND at < to_timestamp(%(end)s) AND unpriced = '[]'::jsonb AND peak IS NOT NULL) b
     ORDER BY account_id, bucket, at DESC)
SELECT max(at), sum(equity), CASE WHEN count(daily_pnl) = count(*) THEN sum(daily_pnl) END,
       sum(peak - (equity - transfers))
  FROM last GROUP BY bucket HAVING count(*) = (SELECT count(*) FROM wanted) ORDER BY 1
"""


def read_series(
    accounts: list[ExchangeAccount], since: datetime, until: datetime | None = None, points: int = 240
) -> list[EquityPoint]:
    """At most `points` points, each the sum over the accounts."""
    end = until or timezone.now()
    if not accounts or since >= end:
        return []
    values = {
        "accounts": [account.pk for account in accounts],
        "begin": since.timestamp(),
        "end": end.timestamp() + 1,
        "points": max(1, min(points, MOST_POINTS)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SERIES, values)
        return [EquityPoint(*row) for row in cursor.fetchall()]


# Extremes need every row of a day; its ends are looked up, because sorting all rows for them costs five times as much.
_DAYS = """
WITH seen AS (
    SELECT account_id, at, equity,
           (at AT TIME ZONE %(zone)s - make_interval(hours => %(hour)s))::date AS day
      FROM trading_equitysnapshot
     WHERE account_id = ANY(%(accounts)s) AND at >= %(since)s AND unpriced = '[]'::jsonb),
     bars AS (
    SELECT account_id, day, min(equity) AS low, max(equity) AS high, min(at) AS first_at, max(at) AS last_at
      FROM seen GROUP BY 1, 2)
SELECT day, sum(first.equity), sum(last.equity), sum(low), sum(high),
       sum(last.equity - last.transfers - (first.equity - first.transfers))
  FROM bars
 CROSS JOIN LATERAL (SELECT equity, transfers FROM trading_equitysnapshot s
                      WHERE s.account_id = bars.account_id AND s.at = first_at LIMIT 1) first
 CROSS JOIN LATERAL (SELECT equity, transfers FROM trading_equitysnapshot s
                      WHERE s.account_id = bars.account_id AND s.at = last_at LIMIT 1) last
 GROUP BY day HAVING count(*) = %(count)s ORDER BY day
"""


def read_daily_bars(accounts: list[ExchangeAccount], days: int = 30) -> list[DailyBar]:
    """The last days, today included. Lows and highs of several accounts are sums of each one's own."""
    books = settings.LEVI_CONFIG.books
    values = {
        "zone": books.day_time_zone,
        "hour": books.day_starts_at_hour,
        "accounts": [account.pk for account in accounts],
        "since": day_start() - timedelta(days=days - 1),
        "count": len(accounts),
    }
    if not accounts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_DAYS, values)
        return [DailyBar(*row) for row in cursor.fetchall()]


def trading_day(now: datetime | None = None) -> date:
    """The date by which a moment's trading day is called: the local date on which it began."""
    return day_start(now).astimezone(ZoneInfo(settings.LEVI_CONFIG.books.day_time_zone)).date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """From when to when a trading day lasts."""
    books = settings.LEVI_CONFIG.books
    zone = ZoneInfo(books.day_time_zone)
    hour = time(books.day_starts_at_hour, tzinfo=zone)
    return datetime.combine(day, hour), datetime.combine(day + timedelta(days=1), hour)


def read_drawdown(account: ExchangeAccount) -> Drawdown | None:
    """By the last complete snapshot; None if there is none."""
    complete = EquitySnapshot.objects.filter(account=account, unpriced=[], peak__isnull=False)
    row = complete.order_by("-at").first()
    if row is None or row.peak is None:
        return None
    peak = add(row.peak, row.transfers)
    amount = max(add(peak, -row.equity), ZERO)
    return Drawdown(peak, row.equity, amount, divide(amount * 100, peak) if peak > 0 else ZERO)


def read_halt_spans(
    since: datetime, until: datetime | None = None, *, scope: HaltScope | None = None
) -> list[RestrictedSpan]:
    """When something (of this scope) was restricted, for drawing it behind a curve; the newest of many."""
    changes = HaltChange.objects.filter(at__lt=until or timezone.now(), **({"scope": scope} if scope else {}))
    inside = changes.filter(at__gte=since).order_by("-at", "-id")[: MOST_HALTS * 2]
    # What held when the time began.
    before = (
        changes.filter(at__lt=since).order_by("scope", "target", "-at", "-id").distinct("scope", "target")
    )
    spans: list[RestrictedSpan] = []
    next_change: dict[tuple[str, str], datetime] = {}
    for change in (*inside, *before):
        key = (change.scope, change.target)
        if change.after != TradingState.ACTIVE:
            ended = next_change.get(key)
            spans.append(RestrictedSpan(*key, change.after, change.at, ended, change.reason))
        next_change[key] = change.at
    return sorted(spans, key=lambda span: span.since)[-MOST_HALTS:]
