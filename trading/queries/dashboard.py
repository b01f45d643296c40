"""What the control room shows, as frozen cards. A constant number of queries, each on an index.

Counts only what is alive (at risk, the last hour); never the whole of a big table. Unknown is None and shown as such.
Floats appear in the curve's points only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import Count
from django.db.models.functions import TruncMinute
from django.utils import timezone

from trading.domain.money import ZERO
from trading.domain.order_states import AT_RISK
from trading.models import (
    AuditEntry,
    Break,
    BreakState,
    ExchangeAccount,
    Heartbeat,
    LimitsVersion,
    Order,
    Signal,
)

from .builds import expected_build
from .limits import limits_in_force
from .portfolio import SymbolRow, exposure_rows
from .valuation import day_start

MINUTES = 60
CURVE_POINTS = 120
SILENT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class MinuteColumn:
    """Orders of one minute of the last hour, by tone of their present status."""

    at: datetime
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class CurvePoint:
    at: datetime
    equity: float


@dataclass(frozen=True, slots=True)
class ControlRoom:
    """Everything on the index page, at one moment."""

    now: datetime
    accounts: list[ExchangeAccount]
    limits: LimitsVersion | None
    exposure: list[SymbolRow]
    live_orders: dict[str, int]
    hour_by_status: list[tuple[str, int]]
    hour: list[MinuteColumn]
    curve: list[CurvePoint]
    heartbeats: list[Heartbeat]
    expected_build: str
    breaks: list[Break]
    entries: list[AuditEntry]
    is_new: bool  # no signal has ever come in

    @property
    def total_exposure(self) -> Decimal | None:
        """Sum over all symbols; None as soon as one of them cannot be priced."""
        worths = [row.notional for row in self.exposure]
        return None if None in worths else sum((worth for worth in worths if worth is not None), ZERO)


def read_control_room() -> ControlRoom:
    now = timezone.now()
    accounts = list(ExchangeAccount.objects.filter(mode=settings.LEVI_MODE).order_by("-is_default", "name"))
    by_status, columns = _last_hour(now)
    return ControlRoom(
        now=now,
        accounts=accounts,
        limits=limits_in_force(),
        exposure=[row for account in accounts for row in exposure_rows(account)],
        live_orders=_live_orders(),
        hour_by_status=by_status,
        hour=columns,
        curve=read_curve(now),
        heartbeats=list(Heartbeat.objects.all()[:50]),
        expected_build=expected_build(),
        breaks=list(Break.objects.exclude(state=BreakState.RESOLVED).select_related("account")[:8]),
        entries=list(AuditEntry.objects.order_by("-id")[:10]),
        is_new=not Signal.objects.exists(),
    )


def _live_orders() -> dict[str, int]:
    rows = Order.objects.filter(status__in=AT_RISK).order_by().values("status").annotate(n=Count("id"))
    return {row["status"]: row["n"] for row in rows}


def _last_hour(now: datetime) -> tuple[list[tuple[str, int]], list[MinuteColumn]]:
    begin = now.replace(second=0, microsecond=0) - timedelta(minutes=MINUTES - 1)
    rows = (
        Order.objects.filter(created_at__gte=begin)
        .order_by()
        .annotate(minute=TruncMinute("created_at"))
        .values_list("minute", "status")
        .annotate(n=Count("id"))
    )
    totals: Counter[str] = Counter()
    minutes: dict[datetime, Counter[str]] = {begin + timedelta(minutes=i): Counter() for i in range(MINUTES)}
    for minute, status, count in rows:
        totals[status] += count
        minutes.setdefault(minute, Counter())[status] += count
    return totals.most_common(), [MinuteColumn(at, dict(counts)) for at, counts in sorted(minutes.items())]


_CURVE = """
SELECT max(at) AS at, sum(equity) AS equity FROM (
    SELECT DISTINCT ON (account_id, bucket) account_id, at, equity,
           width_bucket(extract(epoch FROM at), %(begin)s, %(end)s, %(points)s) AS bucket
      FROM trading_equitysnapshot
     WHERE account_id IN (SELECT id FROM trading_exchangeaccount WHERE mode = %(mode)s AND is_enabled)
       AND at >= to_timestamp(%(begin)s)
     ORDER BY account_id, bucket, at DESC) last
 GROUP BY bucket HAVING count(*) = (SELECT count(*) FROM trading_exchangeaccount WHERE mode = %(mode)s AND is_enabled)
 ORDER BY 1
"""


def read_curve(now: datetime) -> list[CurvePoint]:
    """Equity of the day, thinned out by the database; only instants at which every enabled account is known."""
    begin = day_start(now)
    values: dict[str, str | int | float] = {
        "begin": begin.timestamp(),
        "end": now.timestamp() + 1,
        "points": CURVE_POINTS,
        "mode": settings.LEVI_MODE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CURVE, values)
        return [CurvePoint(at, float(equity)) for at, equity in cursor.fetchall()]
