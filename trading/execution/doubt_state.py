"""Between an order's row and the domain's DoubtState."""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.domain.doubt import DoubtState
from trading.models import Order


def doubt_state(order: Order) -> DoubtState:
    """What has been asked and answered about this order. It has a permit, by a constraint of its table."""
    if order.permit_at is None or order.doubt_since is None:
        raise ValueError(f"order {order.id} was never in doubt")
    return DoubtState(
        permit_at=order.permit_at,
        doubt_since=order.doubt_since,
        window=timedelta(milliseconds=order.window_ms),
        not_found_at=tuple(datetime.fromisoformat(text) for text in order.not_found_at),
        open_orders_clear_at=order.open_orders_clear_at,
        fills_clear_at=order.fills_clear_at,
    )
