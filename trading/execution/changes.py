"""How an order's row is changed: one door, so that no status moves without its audit entry and its counters.

Callers hold the order's lock and run inside a transaction. Never decides anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.chain import canonical
from trading.domain.enums import OrderOrigin, OrderStatus
from trading.domain.errors import IllegalTransition
from trading.domain.order_states import can_move, is_terminal
from trading.doorbell import ring
from trading.models import Order, OrderEvidence


def order_data(order: Order, **more: Any) -> dict[str, Any]:
    """What every audit entry about an order carries."""
    return {
        "status": order.status,
        "symbol": order.instrument.symbol,
        "side": order.side,
        "client_order_id": order.client_order_id,
        **more,
    }


def move_order(order: Order, status: OrderStatus, *, actor: Actor, reason: str = "", **fields: Any) -> Order:
    """Move a locked order to `status` and set `fields`, with one audit entry. Raises IllegalTransition."""
    names, fact = put_status(order, status, reason=reason, **fields)
    order.save(update_fields=[*names, "updated_at"])
    audit.record_many([fact], actor=actor, object_type="order")
    return order


def put_status(
    order: Order, status: OrderStatus, *, reason: str = "", **fields: Any
) -> tuple[list[str], audit.Fact]:
    """In memory only: which columns changed and what happened. The caller writes both in the same commit; the parent
    of an algo's child hears of its end after it."""
    before = OrderStatus(order.status)
    if not can_move(before, status):
        raise IllegalTransition(
            f"Order {order.id} cannot go from {before} to {status}.", order_id=str(order.id)
        )
    if is_terminal(status):
        fields.setdefault("finished_at", timezone.now())
        fields.setdefault("next_action_at", None)
        if order.origin == OrderOrigin.ALGO:
            ring("advance_algo_of", order.pk)
    fields |= {"status": status, "status_reason": reason[:300]}
    for name, value in fields.items():
        setattr(order, name, value)
    data = order_data(order, before=before, reason=reason[:300], attempt=order.attempt)
    return list(fields), (f"order.{status}", order.id, data)


# What fills change of an order, and how the database types it.
_BY_FILLS = {
    "filled_quantity": "numeric",
    "filled_notional": "numeric",
    "venue_filled_quantity": "numeric",
    "status": "text",
    "status_reason": "text",
    "cancel_state": "text",
    "next_action_at": "timestamptz",
    "finished_at": "timestamptz",
    "doubt_since": "timestamptz",
    "not_found_at": "jsonb",
    "updated_at": "timestamptz",
}
_WRITE_BY_FILLS = (
    f"UPDATE trading_order AS o SET {', '.join(f'{name} = n.{name}' for name in _BY_FILLS)}"
    f" FROM unnest(%s::uuid[], {', '.join(f'%s::{kind}[]' for kind in _BY_FILLS.values())})"
    f" AS n (id, {', '.join(_BY_FILLS)}) WHERE o.id = n.id"
)


def write_by_fills(orders: Sequence[Order]) -> None:
    """Everything that fills may have changed of these locked orders, in one statement."""
    now = timezone.now()
    for order in orders:
        order.updated_at = now
    columns = [[getattr(order, name) for order in orders] for name in ("pk", *_BY_FILLS)]
    place = 1 + list(_BY_FILLS).index("not_found_at")
    columns[place] = [json.dumps(value) for value in columns[place]]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_BY_FILLS, columns)


def set_fields(order: Order, **fields: Any) -> None:
    """Set columns that are not a status, or that `move_order` has checked."""
    for name, value in fields.items():
        setattr(order, name, value)
    order.save(update_fields=[*fields, "updated_at"])


def add_evidence(order: Order, source: str, kind: str, at: datetime | None = None, **detail: Any) -> None:
    """One look at the order, kept for ever. Decimals, times and enums are stored as text."""
    make_evidence(order, source, kind, at, **detail).save(force_insert=True)


def make_evidence(
    order: Order, source: str, kind: str, at: datetime | None = None, **detail: Any
) -> OrderEvidence:
    """For callers that write many at once."""
    return OrderEvidence(
        order=order, at=at or timezone.now(), source=source, kind=kind, detail=canonical(detail)
    )
