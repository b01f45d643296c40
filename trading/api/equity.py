"""The equity curve ready to be drawn: points, the days' bars, drawdown and the halts beside it. Read-only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.errors import InvalidInput, UnknownName
from trading.domain.money import plain
from trading.models import ExchangeAccount
from trading.queries.equity import (
    MOST_POINTS,
    DailyBar,
    Drawdown,
    EquityPoint,
    RestrictedSpan,
    read_daily_bars,
    read_drawdown,
    read_halt_spans,
    read_series,
)

from .endpoint import Endpoint

MOST_HOURS = 24 * 366
MOST_DAYS = 366


class EquityPointRow(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    equity = serializers.CharField()
    daily_pnl = serializers.CharField(allow_null=True)
    drawdown = serializers.CharField(help_text="Below the peak so far, without transfers.")


class DailyBarRow(serializers.Serializer[Any]):
    day = serializers.DateField()
    first = serializers.CharField()
    last = serializers.CharField()
    low = serializers.CharField()
    high = serializers.CharField()
    pnl = serializers.CharField(help_text="Without deposits and withdrawals.")


class RestrictedSpanRow(serializers.Serializer[Any]):
    scope = serializers.CharField()
    target = serializers.CharField(allow_blank=True)
    state = serializers.CharField()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class DrawdownRow(serializers.Serializer[Any]):
    account = serializers.CharField()
    peak = serializers.CharField()
    current = serializers.CharField()
    amount = serializers.CharField()
    percent = serializers.CharField()


class EquitySeriesAnswer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    points = EquityPointRow(many=True)
    days = DailyBarRow(many=True)
    halts = RestrictedSpanRow(many=True)
    drawdowns = DrawdownRow(many=True)


def read_number(request: Request, name: str, usual: int, most: int) -> int:
    text = request.query_params.get(name, str(usual))
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and 1 <= int(text) <= most):
        raise InvalidInput(f"{name} must be a whole number from 1 to {most}.", field=name)
    return int(text)


def read_accounts(request: Request) -> list[ExchangeAccount]:
    """The named one, or all that are enabled."""
    name = request.query_params.get("account")
    rows = ExchangeAccount.objects.filter(mode=settings.LEVI_MODE).order_by("name")
    if name is None:
        return list(rows.filter(is_enabled=True))
    account = rows.filter(name=name).first()
    if account is None:
        raise UnknownName(f"Unknown account {name[:40]!r}.", code="unknown_account")
    return [account]


class EquitySeriesView(Endpoint):
    needs = {"GET": "trading.view_equitysnapshot"}
    known_parameters = ("account", "hours", "points", "days")

    @extend_schema(
        operation_id="equity_series",
        summary="Equity over time, days, drawdown and halts",
        parameters=[
            OpenApiParameter("account", str, description="Default: all enabled accounts together."),
            OpenApiParameter("hours", int, description="How far back; default 24."),
            OpenApiParameter("points", int, description="At most so many; default 240."),
            OpenApiParameter("days", int, description="Daily bars; default 30."),
        ],
        responses=EquitySeriesAnswer,
    )
    def get(self, request: Request) -> Response:
        accounts = read_accounts(request)
        since = timezone.now() - timedelta(hours=read_number(request, "hours", 24, MOST_HOURS))
        points = read_number(request, "points", 240, MOST_POINTS)
        days = read_number(request, "days", 30, MOST_DAYS)
        drawdowns = [(account.name, read_drawdown(account)) for account in accounts]
        return Response(
            {
                "currency": settings.LEVI_CONFIG.books.reporting_currency,
                "points": [_point(row) for row in read_series(accounts, since, points=points)],
                "days": [_bar(row) for row in read_daily_bars(accounts, days)],
                "halts": [_span(row) for row in read_halt_spans(since)],
                "drawdowns": [_drawdown(name, row) for name, row in drawdowns if row is not None],
            }
        )


def _point(row: EquityPoint) -> dict[str, Any]:
    pnl = None if row.daily_pnl is None else plain(row.daily_pnl)
    return {"at": row.at, "equity": plain(row.equity), "daily_pnl": pnl, "drawdown": plain(row.drawdown)}


def _bar(row: DailyBar) -> dict[str, Any]:
    numbers = {name: plain(getattr(row, name)) for name in ("first", "last", "low", "high", "pnl")}
    return {"day": row.day, **numbers}


def _span(row: RestrictedSpan) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("scope", "target", "state", "since", "until", "reason")}


def _drawdown(account: str, row: Drawdown) -> dict[str, Any]:
    numbers = {name: plain(getattr(row, name)) for name in ("peak", "current", "amount", "percent")}
    return {"account": account, **numbers}
