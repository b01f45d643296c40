"""How an order's row is changed: one door, so that no status moves without its audit entry and its counters.

Callers hold the order's lock and run inside a transaction. Never decides anything.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from trading import audit
from trading.domain.actors import Actor
from trading.domain.chain import canonical
from trading.domain.enums import OrderStatus
from trading.domain.errors import IllegalTransition
from trading.domain.order_states import can_move, is_terminal
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
    before = OrderStatus(order.status)
    if not can_move(before, status):
        raise IllegalTransition(
            f"Order {order.id} cannot go from {before} to {status}.", order_id=str(order.id)
        )
    if is_terminal(status):
        fields.setdefault("finished_at", timezone.now())
        fields.setdefault("next_action_at", None)
    set_fields(order, status=status, status_reason=reason[:300], **fields)
    audit.record(
        f"order.{status}",
        actor=actor,
        object_type="order",
        object_id=order.id,
        data=order_data(order, before=before, reason=reason[:300], attempt=order.attempt),
    )
    return order


def set_fields(order: Order, **fields: Any) -> None:
    """Set columns that are not a status, or that `move_order` has checked."""
    for name, value in fields.items():
        setattr(order, name, value)
    order.save(update_fields=[*fields, "updated_at"])


def add_evidence(order: Order, source: str, kind: str, at: datetime | None = None, **detail: Any) -> None:
    """One look at the order, kept for ever. Decimals, times and enums are stored as text."""
    OrderEvidence.objects.create(
        order=order, at=at or timezone.now(), source=source, kind=kind, detail=canonical(detail)
    )
