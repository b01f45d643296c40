"""Orders as CSV or NDJSON, streamed, oldest first. Numbers are exact text; times are ISO 8601 in UTC."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.domain.csv_cells import harmless
from trading.domain.errors import InvalidInput
from trading.domain.money import divide, plain
from trading.models import Order

_CHUNK = 2000
Column = Callable[[Order], Any]

COLUMNS: dict[str, Column] = {
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
}


def _as_text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def order_record(order: Order) -> dict[str, str | None]:
    return {name: _as_text(column(order)) for name, column in COLUMNS.items()}


def _ndjson(orders: Iterable[Order]) -> Iterator[str]:
    for order in orders:
        yield json.dumps(order_record(order), ensure_ascii=False) + "\n"


def _csv(orders: Iterable[Order]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for order in orders:
        writer.writerow([harmless(cell or "") for cell in order_record(order).values()])
        yield _take(buffer)
    yield _take(buffer)


def _take(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


FORMATS = {"csv": _csv, "ndjson": _ndjson}


def export_orders(orders: Any, format_name: str) -> Iterator[str]:
    """`orders` is a queryset; it is ordered and streamed here."""
    if format_name not in FORMATS:
        raise InvalidInput(
            f"Unknown export format {format_name!r}.", remedy=f"Use one of {', '.join(FORMATS)}."
        )
    rows = orders.select_related("account", "instrument", "strategy").order_by("created_at", "id")
    return FORMATS[format_name](rows.iterator(chunk_size=_CHUNK))
