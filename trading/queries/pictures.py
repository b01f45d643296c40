"""The points of drawn lines and bars: equity, daily results, latencies. For eyes, not for books.

Each costs a fixed number of index look-ups whatever the tables hold: a point is the last row of its span, found by key,
never an aggregate over all rows of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection

from .equity import trading_day
from .valuation import day_start

CURVE_POINTS = 120
# Of two accounts that sync every ten seconds, each has a snapshot in every step.
CURVE_STEP = timedelta(seconds=30)
RESULT_DAYS = 30
_ATTEMPTS = 1000
RANGES = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class CurvePoint:
    at: datetime
    equity: Decimal


@dataclass(frozen=True, slots=True)
class DayResult:
    day: datetime
    pnl: Decimal | None

    @property
    def date(self) -> date:
        """What the trading day is called; told from its middle, which no change of clocks reaches."""
        return trading_day(self.day + timedelta(hours=12))


@dataclass(frozen=True, slots=True)
class StageLatency:
    """Milliseconds of one stage, over the newest attempts."""

    stage: str
    p50: float
    p95: float
    p99: float


_MINE = "SELECT id FROM trading_exchangeaccount WHERE mode = %(mode)s AND is_enabled"
# The first snapshot of the span begins the curve, so that the first minutes of an installation show one too.
_CURVE = f"""
WITH mine AS ({_MINE}),
     reach AS (SELECT min(f.at) - interval '1 millisecond' AS begin FROM mine CROSS JOIN LATERAL (
              SELECT at FROM trading_equitysnapshot e
               WHERE e.account_id = mine.id AND at > %(begin)s ORDER BY at LIMIT 1) f),
     steps AS (SELECT begin, greatest((%(end)s - begin) / %(points)s, %(least)s) AS step FROM reach)
SELECT max(s.at), sum(s.equity)
  FROM steps CROSS JOIN generate_series(1, %(points)s) AS place CROSS JOIN mine
  LEFT JOIN LATERAL (
       SELECT at, equity FROM trading_equitysnapshot e
        WHERE e.account_id = mine.id AND at > begin + (place - 1) * step AND at <= begin + place * step
        ORDER BY at DESC LIMIT 1) s ON true
 GROUP BY place HAVING count(s.at) = count(*) ORDER BY place
"""
_RESULTS = f"""
SELECT day, CASE WHEN count(s.daily_pnl) = count(*) THEN sum(s.daily_pnl) END
  FROM generate_series(%(first)s::timestamptz, %(last)s::timestamptz, interval '1 day') AS day
 CROSS JOIN ({_MINE}) mine
  LEFT JOIN LATERAL (
       SELECT daily_pnl FROM trading_equitysnapshot e
        WHERE e.account_id = mine.id AND at >= day AND at < day + interval '1 day' ORDER BY at DESC LIMIT 1) s ON true
 GROUP BY day ORDER BY day
"""
_LATENCIES = """
WITH newest AS (SELECT a.permit_at, a.sent_at, a.finished_at, o.approved_at, o.created_at, a.number
                  FROM (SELECT * FROM trading_orderattempt ORDER BY id DESC LIMIT %s) a
                  JOIN trading_order o ON o.id = a.order_id WHERE a.finished_at IS NOT NULL AND a.sent_at IS NOT NULL),
     spans AS (SELECT 1 AS place, 'wait for the permit' AS stage, permit_at - approved_at AS span FROM newest
                WHERE number = 1 AND approved_at IS NOT NULL
               UNION ALL SELECT 2, 'until the first byte', sent_at - permit_at FROM newest
               UNION ALL SELECT 3, 'the venue''s answer', finished_at - sent_at FROM newest)
SELECT stage, percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM span) * 1000)
  FROM spans GROUP BY place, stage ORDER BY place
"""


def read_curve(now: datetime, span: timedelta | None = None) -> list[CurvePoint]:
    """Equity of today (or of the span before now); only instants at which every enabled account is known."""
    begin = now - span if span and span > RANGES["day"] else day_start(now)
    given = {
        "mode": settings.LEVI_MODE,
        "points": CURVE_POINTS,
        "begin": begin,
        "end": now + timedelta(seconds=1),
        "least": CURVE_STEP,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CURVE, given)
        return [CurvePoint(at, equity) for at, equity in cursor.fetchall()]


def read_results(now: datetime) -> list[DayResult]:
    """The last daily PnL of each of the last days; without what lies before the first snapshot."""
    last = day_start(now)
    given = {"mode": settings.LEVI_MODE, "first": last - timedelta(days=RESULT_DAYS - 1), "last": last}
    with connection.cursor() as cursor:
        cursor.execute(_RESULTS, given)
        rows = [DayResult(day, pnl) for day, pnl in cursor.fetchall()]
    known = [index for index, row in enumerate(rows) if row.pnl is not None]
    return rows[known[0] :] if known else []


def read_latencies() -> list[StageLatency]:
    with connection.cursor() as cursor:
        cursor.execute(_LATENCIES, [_ATTEMPTS])
        return [StageLatency(stage, *map(float, quantiles)) for stage, quantiles in cursor.fetchall()]
