"""Fills as CSV or NDJSON, streamed, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .records import Columns, export_records

COLUMNS: Columns = {
    "id": lambda fill: fill.pk,
    "filled_at": lambda fill: fill.filled_at,
    "booked_at": lambda fill: fill.booked_at,
    "account": lambda fill: fill.account.name,
    "symbol": lambda fill: fill.instrument.symbol,
    "side": lambda fill: fill.side,
    "quantity": lambda fill: fill.quantity,
    "price": lambda fill: fill.price,
    "notional": lambda fill: fill.notional,
    "fee": lambda fill: fill.fee,
    "fee_asset": lambda fill: fill.fee_asset,
    "role": lambda fill: "maker" if fill.is_maker else "taker",
    "realized_pnl": lambda fill: fill.realized_pnl,
    "order_id": lambda fill: fill.order_id,
    "client_order_id": lambda fill: fill.order.client_order_id,
    "venue_fill_id": lambda fill: fill.venue_fill_id,
}


def export_fills(fills: Any, format_name: str) -> Iterator[str]:
    """`fills` is a queryset; it is ordered and streamed here."""
    rows = fills.select_related("account", "instrument", "order").order_by("filled_at", "id")
    return export_records(rows, COLUMNS, format_name)
