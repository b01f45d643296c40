"""Rows that only trading would write, for tests that read them: orders with everything that hangs on them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from trading.domain.actors import system_actor
from trading.domain.chain import canonical
from trading.domain.enums import Severity
from trading.execution.alert_channels import create_channel
from trading.execution.flatten import flatten, flatten_payload
from trading.models import (
    ApprovalRequest,
    Break,
    DailyReport,
    Fill,
    Movement,
    Order,
    OrderAttempt,
    OrderEvidence,
    Position,
    SyncRun,
)
from trading.notify import notify

from .world import Caller, World, buy


def place(caller: Caller, key: str, **more: Any) -> Order:
    """An approved order, through the API."""
    answer = caller.post("/api/v1/orders", buy(source_id=key, **more))
    assert answer.status_code == 201 and answer.json()["decision"] == "approved", answer.json()
    return Order.objects.get(pk=answer.json()["order_id"])


def set_status(order: Order, *statuses: str, **fields: Any) -> None:
    """Walk the order along legal moves (a trigger refuses others)."""
    now = timezone.now()
    for status in statuses:
        Order.objects.filter(pk=order.pk).update(
            status=status, permit_at=now, attempt=1, exchange_order_id=f"X{order.client_order_id}", **fields
        )
    order.refresh_from_db()


def add_fill(world: World, order: Order, number: int = 1, quantity: str = "0.01") -> Fill:
    now = timezone.now()
    return Fill.objects.create(
        account=world.account,
        instrument=world.instrument,
        order=order,
        venue_fill_id=f"{order.client_order_id}-{number}",
        side=order.side,
        price=Decimal("50000.10"),
        quantity=Decimal(quantity),
        notional=Decimal("500.001"),
        fee=Decimal("0.0000001"),
        fee_asset="BTC",
        realized_pnl=Decimal(0),
        filled_at=now,
        booked_at=now,
    )


def add_history(order: Order, number: int = 1) -> None:
    now = timezone.now()
    OrderAttempt.objects.create(
        order=order,
        number=number,
        process="tests",
        build="b",
        permit_at=now,
        sent_at=now,
        finished_at=now,
        outcome="placed",
        http_status=200,
    )
    detail = canonical({"filled": Decimal("0.01")})
    OrderEvidence.objects.create(order=order, at=now, source="query", kind="found", detail=detail)


def fill_the_books(world: World) -> None:
    """One row in every list that trading itself would have filled."""
    notify("halt.engaged", Severity.CRITICAL, "Everything is halted")
    flatten(flatten_payload("paper", "BTC/USDT"), reason="out", actor=system_actor("tests"))
    create_channel("phone", "jsons://alerts.example.com/levi", actor=system_actor("tests"))
    now = timezone.now()
    Position.objects.create(
        account=world.account,
        instrument=world.instrument,
        quantity=Decimal("-0.5"),
        average_price=Decimal(51000),
        realized_pnl=Decimal("12.5"),
        fees={"USDT": "0.1"},
        updated_at=now,
    )
    Movement.objects.create(
        account=world.account, asset="USDT", kind="deposit", quantity=5, at=now, booked_at=now, reference="d"
    )
    DailyReport.objects.create(day=(now - timedelta(days=9)).date(), created_at=now, digest="0" * 64)
    SyncRun.objects.create(account=world.account, trigger="beat", started_at=now, is_complete=True)
    Break.objects.create(
        account=world.account,
        kind="balance",
        subject="USDT",
        ours=Decimal(1),
        theirs=Decimal("1E-7"),
        since=now - timedelta(minutes=1),
        last_seen_at=now,
    )
    ApprovalRequest.objects.create(
        kind="release",
        subject="Release account paper",
        payload_hash="0" * 64,
        epoch=1,
        requested_by="operator:anna",
        reason="cause found",
        requested_at=now - timedelta(hours=1),
        expires_at=now,
        state="expired",
    )
