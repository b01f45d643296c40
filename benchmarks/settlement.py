"""Booking fills: each moves position, balances and audit trail in the commit that books it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import uuid4

from benchmarks.rows import Row

FILLS = 240
QUANTITY, PRICE = Decimal("0.0001"), Decimal(50000)


def make_fills(order: Any, count: int) -> list[Any]:
    from django.utils import timezone

    from trading.domain.enums import Side
    from trading.domain.outcomes import FillReport

    return [
        FillReport(
            venue_fill_id=uuid4().hex,
            exchange_order_id=order.exchange_order_id,
            client_order_id=order.client_order_id,
            symbol=order.instrument.venue_symbol,
            side=Side(order.side),
            price=PRICE,
            quantity=QUANTITY,
            fee=Decimal("0.0025"),
            fee_asset="USDT",
            is_maker=False,
            filled_at=timezone.now(),
        )
        for _fill in range(count)
    ]


def book(per_commit: int) -> float:
    """Fills a second when so many of one order arrive together. The orders are open; the venue knows nothing of it."""
    from django.utils import timezone

    from benchmarks.books import submit_one, time_call
    from trading.domain.enums import OrderStatus
    from trading.doorbell import silence
    from trading.execution.settlement import settle
    from trading.models import Order

    orders = []
    for number in range(FILLS // per_commit):
        order = submit_one(quantity=str(QUANTITY * per_commit * 2), side=("BUY", "SELL")[number % 2])
        rows, now = Order.objects.filter(pk=order.pk), timezone.now()
        rows.update(status=OrderStatus.SUBMITTING, attempt=1, permit_at=now)
        rows.update(status=OrderStatus.OPEN, exchange_order_id=uuid4().hex, acknowledged_at=now)
        orders.append(order)
    seconds = 0.0
    for order in orders:
        fills = make_fills(order, per_commit)
        with silence():
            seconds += time_call(lambda: settle(order.id, fills=fills, source="benchmark"))[0]  # noqa: B023
        Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELED)
    return FILLS / seconds


def measure() -> list[Row]:
    from benchmarks.books import fund, open_books

    open_books()
    fund(BTC="10")
    open_books()
    book(20)  # warm
    return [
        Row("fills a second, one per commit", book(1), "/s", note="one process"),
        Row("fills a second, twenty per commit", book(20), "/s", ">= 1500 /s", note="one process"),
    ]
