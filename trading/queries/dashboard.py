"""What the control room shows, as frozen cards. A constant number of queries, each on an index.

Counts only what is alive (at risk, the last hour); never the whole of a big table. Unknown is None and shown as such.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import TruncMinute
from django.utils import timezone

from trading.domain.enums import HaltScope
from trading.domain.money import ZERO
from trading.domain.order_states import AT_RISK
from trading.models import (
    Algo,
    AuditEntry,
    Break,
    BreakState,
    ExchangeAccount,
    LimitsVersion,
    Order,
    Signal,
)

from .algos import count_living, living_algos
from .builds import expected_build
from .equity import RestrictedSpan, read_halt_spans
from .limits import limits_in_force
from .live_state import read_limit_shares
from .pictures import (
    RANGES,
    CurvePoint,
    DayResult,
    StageLatency,
    read_curve,
    read_latencies,
    read_results,
)
from .portfolio import SymbolRow, exposure_rows
from .processes import LivingProcess, list_processes
from .streams import StreamStanding, read_streams

MINUTES = 60
MOST_ALGOS = 8


@dataclass(frozen=True, slots=True)
class MinuteColumn:
    """Orders of one minute of the last hour, by tone of their present status."""

    at: datetime
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class ControlRoom:
    """Everything on the index page, at one moment."""

    now: datetime
    accounts: list[ExchangeAccount]
    streams: dict[UUID, StreamStanding]
    limits: LimitsVersion | None
    exposure: list[SymbolRow]
    live_orders: dict[str, int]
    hour_by_status: list[tuple[str, int]]
    hour: list[MinuteColumn]
    curve: list[CurvePoint]
    halts: list[RestrictedSpan]
    results: list[DayResult]
    latencies: list[StageLatency]
    utilisation: dict[str, float]
    processes: list[LivingProcess]
    expected_build: str
    algos: list[Algo]
    algo_counts: dict[str, int]
    breaks: list[Break]
    entries: list[AuditEntry]
    is_new: bool  # no signal has ever come in

    @property
    def total_exposure(self) -> Decimal | None:
        """Sum over all symbols; None as soon as one of them cannot be priced."""
        worths = [row.notional for row in self.exposure]
        return None if None in worths else sum((worth for worth in worths if worth is not None), ZERO)


def read_control_room(span: timedelta = RANGES["day"]) -> ControlRoom:
    now = timezone.now()
    accounts = list(ExchangeAccount.objects.filter(mode=settings.LEVI_MODE).order_by("-is_default", "name"))
    limits, curve = limits_in_force(), read_curve(now, span)
    by_status, columns = _last_hour(now)
    return ControlRoom(
        now=now,
        accounts=accounts,
        streams=read_streams(accounts, now),
        limits=limits,
        exposure=[row for account in accounts for row in exposure_rows(account)],
        live_orders=_live_orders(),
        hour_by_status=by_status,
        hour=columns,
        curve=curve,
        halts=read_halt_spans(curve[0].at if curve else now, scope=HaltScope.EVERYTHING),
        results=read_results(now),
        latencies=read_latencies(),
        utilisation=read_limit_shares(now),
        processes=[row for row in list_processes(now) if row.word != "ended"],
        expected_build=expected_build(),
        algos=living_algos(MOST_ALGOS),
        algo_counts=count_living(),
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
