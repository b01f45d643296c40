"""Follows an acknowledged order to its fills and its end, by targeted queries soon after it was placed.

After the first half minute the periodic sync takes over: it sees in one list which orders changed and wakes them here.
Asking is idempotent; two followers of one order cost a request, nothing else.
"""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from trading.connections import exchange_for
from trading.domain.enums import OrderStatus
from trading.domain.errors import VenueError
from trading.domain.order_states import TERMINAL
from trading.domain.outcomes import FillReport, OrderFound, OrderReport
from trading.exchanges.base import Exchange
from trading.locking import lock_order
from trading.metrics import ORDER_LATENCY
from trading.models import Order

from .changes import add_evidence, set_fields
from .settlement import Settled, settle

# The age of an order → how long until the next look. After the last row the sync takes over.
_CADENCE = ((1.0, 0.2), (5.0, 0.7), (15.0, 2.0), (30.0, 5.0))
_MARGIN = timedelta(seconds=5)


def follow_order(order_id: UUID) -> Settled | None:
    """One look at the venue; books what it shows and plans the next look. None if the venue could not be asked."""
    order = Order.objects.select_related("account", "instrument").get(pk=order_id)
    exchange = exchange_for(order.account)
    began = time.perf_counter()
    answer = exchange.query_order(
        order.instrument.venue_symbol,
        client_order_id=order.client_order_id,
        exchange_order_id=order.exchange_order_id,
    )
    if not isinstance(answer, OrderFound):
        _plan_next(order_id, note=answer)
        return None
    try:
        fills = fetch_missing_fills(exchange, order, answer.report)
    except VenueError:
        fills = []
    settled = settle(order_id, report=answer.report, fills=fills, source="query")
    ORDER_LATENCY.labels("settle").observe(time.perf_counter() - began)
    if settled.is_complete and order.finished_at is None:
        ORDER_LATENCY.labels("total").observe((timezone.now() - order.created_at).total_seconds())
    if not settled.is_complete:
        _plan_next(order_id)
    return settled


def fetch_missing_fills(exchange: Exchange, order: Order, report: OrderReport) -> list[FillReport]:
    """The order's fills, asked for only when the venue filled more than we have booked. Raises VenueError."""
    if report.filled_quantity <= order.filled_quantity:
        return []
    fills = exchange.fetch_fills(
        order.instrument.venue_symbol,
        since=(order.permit_at or order.created_at) - _MARGIN,
        exchange_order_id=report.exchange_order_id or None,
    )
    return [fill for fill in fills if fill.exchange_order_id == report.exchange_order_id]


def _plan_next(order_id: UUID, note: object = None) -> None:
    with transaction.atomic(durable=True):
        order = lock_order(order_id)
        if note is not None:
            add_evidence(order, "query", type(note).__name__, detail=str(note)[:300])
        if order.status in TERMINAL and order.filled_quantity >= order.venue_filled_quantity:
            set_fields(order, next_action_at=None)
            return
        if order.status in (OrderStatus.IN_DOUBT, OrderStatus.QUARANTINED):
            return  # the resolver keeps its own schedule
        now = timezone.now()
        age = (now - (order.acknowledged_at or order.created_at)).total_seconds()
        wait = next((wait for until, wait in _CADENCE if age < until), None)
        set_fields(order, next_action_at=now + timedelta(seconds=wait) if wait is not None else None)
