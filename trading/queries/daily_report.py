"""What the daily report says of one trading day: each account's equity, PnL, movements, differences and looks.

Read from what is stored; a number that is not known is null, never zero. The same day read twice, after it is over,
gives the same report, except for breaks that were closed since.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.utils import timezone

from trading.domain.money import add, multiply
from trading.models import (
    TRANSFERS,
    Balance,
    Break,
    BreakState,
    EquitySnapshot,
    ExchangeAccount,
    Fill,
    HaltChange,
    Movement,
    Order,
    SyncRun,
)

from .equity import day_bounds


def read_daily_report(day: date) -> dict[str, Any]:
    """Plain values: Decimals and times are turned to text by whoever stores it."""
    begins, ends = day_bounds(day)
    accounts = ExchangeAccount.objects.filter(mode=settings.LEVI_MODE).order_by("name")
    halts = HaltChange.objects.filter(at__gte=begins, at__lt=ends)
    return {
        "day": day.isoformat(),
        "begins": begins,
        "ends": ends,
        "mode": settings.LEVI_MODE,
        "reporting_currency": settings.LEVI_CONFIG.books.reporting_currency,
        "accounts": [_account(account, begins, ends) for account in accounts],
        "halts": list(
            halts.order_by("at").values("at", "scope", "target", "before", "after", "trigger", "reason")
        ),
    }


def _account(account: ExchangeAccount, begins: datetime, ends: datetime) -> dict[str, Any]:
    moved = Movement.objects.filter(account=account, booked_at__gte=begins, booked_at__lt=ends)
    fills = Fill.objects.filter(account=account, booked_at__gte=begins, booked_at__lt=ends)
    runs = SyncRun.objects.filter(account=account, started_at__gte=begins, started_at__lt=ends)
    orders = Order.objects.filter(account=account, created_at__gte=begins, created_at__lt=ends)
    return {
        "account": account.name,
        **_equity(account, begins, ends),
        "orders": dict(orders.order_by().values_list("status").annotate(Count("id"))),
        "fills": fills.count(),
        "volume": _pairs(fills.order_by().values_list("instrument__symbol").annotate(Sum("notional"))),
        "realized_pnl": _pairs(
            fills.order_by().values_list("instrument__quote_asset").annotate(Sum("realized_pnl"))
        ),
        "movements": [
            {"kind": kind, "asset": asset, "quantity": quantity, "count": count}
            for kind, asset, quantity, count in moved.order_by("kind", "asset")
            .values_list("kind", "asset")
            .annotate(Sum("quantity"), Count("id"))
        ],
        "balances": list(
            Balance.objects.filter(account=account)
            .order_by("asset")
            .values("asset", "free", "locked", "booked", "drift", "observed_at")
        ),
        "breaks": [_break(row, ends) for row in _breaks(account, begins, ends)],
        "looks": {
            "all": runs.count(),
            "complete": runs.filter(is_complete=True).count(),
            "failed": runs.filter(is_complete=False, finished_at__isnull=False).count(),
        },
    }


def _equity(account: ExchangeAccount, begins: datetime, ends: datetime) -> dict[str, Any]:
    """First and last complete snapshot of the day, and what lies between them without transfers."""
    day = EquitySnapshot.objects.filter(account=account, at__gte=begins, at__lt=ends, unpriced=[])
    first, last = day.order_by("at").first(), day.order_by("-at").first()
    if first is None or last is None:
        return {"equity_first": None, "equity_last": None, "transfers": None, "pnl": None}
    transfers = add(last.transfers, -first.transfers)
    return {
        "equity_first": first.equity,
        "equity_last": last.equity,
        "transfers": transfers,
        "pnl": add(add(last.equity, -first.equity), -transfers),
    }


def _breaks(account: ExchangeAccount, begins: datetime, ends: datetime) -> list[Break]:
    """Open at any time of the day."""
    there = Q(since__lt=ends) & (Q(resolved_at__isnull=True) | Q(resolved_at__gte=begins))
    return list(Break.objects.filter(there, account=account).order_by("since"))


def _break(row: Break, ends: datetime) -> dict[str, Any]:
    until = row.resolved_at or min(ends, timezone.now())  # the day may not be over
    return {
        "id": str(row.id),
        "kind": row.kind,
        "subject": row.subject,
        "ours": row.ours,
        "theirs": row.theirs,
        "value": row.value,
        "beyond_tolerance": row.is_beyond,
        "since": row.since,
        "age_seconds": int((until - row.since).total_seconds()),
        "state": row.state,
        "is_open": row.state != BreakState.RESOLVED,
        "resolution": row.resolution,
        "owner": row.owner,
        "reason": row.reason,
    }


def _pairs(rows: Any) -> dict[str, Any]:
    return {name: number for name, number in rows if number}


def fees_of_day(account: ExchangeAccount, begins: datetime, ends: datetime) -> dict[str, Decimal]:
    """Paid (positive) less rebates, by asset."""
    fees = Movement.objects.filter(
        account=account, kind__in=("fee", "rebate"), booked_at__gte=begins, booked_at__lt=ends
    )
    sums = fees.order_by().values_list("asset").annotate(Sum("quantity"))
    return {asset: multiply(quantity, Decimal(-1)) for asset, quantity in sums if quantity}


def transfers_of(account: ExchangeAccount) -> list[Movement]:
    return list(Movement.objects.filter(account=account, kind__in=TRANSFERS).order_by("-booked_at")[:50])
