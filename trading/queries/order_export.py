"""Orders as CSV or NDJSON, streamed, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trading.domain.money import divide

from .records import Columns, export_records

COLUMNS: Columns = {
    "id": lambda order: order.id,
    "created_at": lambda order: order.created_at,
    "account": lambda order: order.account.name,
    "symbol": lambda order: order.instrument.symbol,
    "side": lambda order: order.side,
    "order_type": lambda order: order.order_type,
    "time_in_force": lambda order: order.time_in_force,
    "quantity": lambda order: order.quantity,
    "quote_quantity": lambda order: order.quote_quantity,
    "price": lambda order: order.price,
    "status": lambda order: order.status,
    "status_reason": lambda order: order.status_reason,
    "filled_quantity": lambda order: order.filled_quantity,
    "filled_notional": lambda order: order.filled_notional,
    "average_price": lambda order: (
        divide(order.filled_notional, order.filled_quantity) if order.filled_quantity else None
    ),
    "client_order_id": lambda order: order.client_order_id,
    "exchange_order_id": lambda order: order.exchange_order_id,
    "strategy": lambda order: order.strategy.name if order.strategy else None,
    "origin": lambda order: order.origin,
    "actor": lambda order: order.actor,
    "request_id": lambda order: order.request_id,
    "limits_version": lambda order: order.limits_version_id,
    "approved_at": lambda order: order.approved_at,
    "permit_at": lambda order: order.permit_at,
    "acknowledged_at": lambda order: order.acknowledged_at,
    "finished_at": lambda order: order.finished_at,
    "algo": lambda order: order.algo_child.algo_id if hasattr(order, "algo_child") else None,
}


def export_orders(orders: Any, format_name: str) -> Iterator[str]:
    """`orders` is a queryset; it is ordered and streamed here."""
    rows = orders.select_related("account", "instrument", "strategy", "algo_child").order_by(
        "created_at", "id"
    )
    return export_records(rows, COLUMNS, format_name)
