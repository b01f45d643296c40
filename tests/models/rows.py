"""One row of every table that the guards protect, made without the order path."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.models import (
    Break,
    DailyReport,
    Decision,
    ExchangeAccount,
    Fill,
    HaltChange,
    Instrument,
    LimitsVersion,
    Movement,
    Order,
    OrderAttempt,
    OrderEvidence,
    Signal,
    Sweep,
)


def make_account(name: str = "paper", **changes: Any) -> ExchangeAccount:
    fields = {"venue": "mexc", "environment": "simulated", "mode": "paper", "base_url": "http://127.0.0.1:9"}
    return ExchangeAccount.objects.get_or_create(name=name, defaults=fields | changes)[0]


def make_instrument(**changes: Any) -> Instrument:
    fields = {
        "venue_symbol": "BTCUSDT",
        "base_asset": "BTC",
        "quote_asset": "USDT",
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.0001"),
        "synced_at": timezone.now(),
    }
    return Instrument.objects.get_or_create(
        venue="mexc", environment="simulated", symbol="BTC/USDT", defaults=fields | changes
    )[0]


def make_limits() -> LimitsVersion:
    known = LimitsVersion.objects.first()
    return known or LimitsVersion.objects.create(effective_at=timezone.now(), reason="tests", actor="tests")


def make_order(**changes: Any) -> Order:
    now = timezone.now()
    fields: dict[str, Any] = {
        "account": make_account(),
        "instrument": make_instrument(),
        "origin": "signal",
        "actor": "tests",
        "side": "BUY",
        "order_type": "LIMIT",
        "quantity": Decimal("0.01"),
        "price": Decimal(50000),
        "exposure_quantity": Decimal("0.01"),
        "reference_price": Decimal(50000),
        "client_order_id": uuid4().hex,
        "status": "approved",
        "limits_version": make_limits(),
        "approved_epoch": 1,
        "expires_at": now + timedelta(minutes=1),
        "created_at": now,
    }
    fields |= changes
    limits = fields["limits_version"]
    return Order.objects.create(**{"limits_versions": [limits.version] if limits else [], **fields})


def fill_fields(order: Order, **changes: Any) -> dict[str, Any]:
    now = timezone.now()
    return {
        "account": order.account,
        "instrument": order.instrument,
        "order": order,
        "venue_fill_id": "f1",
        "side": "BUY",
        "price": Decimal(50000),
        "quantity": Decimal("0.01"),
        "notional": Decimal(500),
        "fee": Decimal(0),
        "realized_pnl": Decimal(0),
        "filled_at": now,
        "booked_at": now,
    } | changes


def make_rows() -> Order:
    """An order with all that hangs on it, a halt with its sweep, a break, a signal, limits and an audit entry."""
    now, order = timezone.now(), make_order()
    Decision.objects.create(order=order, at=now, allowed=True, epoch=1)
    OrderAttempt.objects.create(order=order, number=1, process="tests", build="tests", permit_at=now)
    OrderEvidence.objects.create(order=order, at=now, source="query", kind="found")
    Fill.objects.create(**fill_fields(order))
    change = HaltChange.objects.create(
        scope="everything",
        before="active",
        after="halted",
        reason="r",
        trigger="t",
        actor="a",
        epoch=1,
        at=now,
    )
    Sweep.objects.create(change=change, engaged_at=now)
    Break.objects.create(account=order.account, kind="balance", subject="USDT", since=now, last_seen_at=now)
    Movement.objects.create(
        account=order.account, asset="USDT", kind="deposit", quantity=1, at=now, booked_at=now, reference="d1"
    )
    DailyReport.objects.create(day=now.date(), created_at=now, digest="d")
    Signal.objects.create(source="s", key="k", body_hash="h", body={}, actor="a", received_at=now)
    with transaction.atomic():
        audit.record("test.made", actor=system_actor("tests"))
    return order
