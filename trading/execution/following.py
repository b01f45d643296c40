"""Follows an acknowledged order to its fills and its end, by looks at the venue soon after it was placed.

An order that should be done at once (market, IOC, FOK) is looked for in the symbol's fills first: one such list
serves every order of the symbol. A resting order is queried first, and the fills only when it has some. After half a
minute the periodic sync takes over: it sees in one list which orders changed. A second follower costs one request.
"""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from trading.connections import exchange_for
from trading.domain.enums import CancelState, OrderStatus, OrderType, TimeInForce
from trading.domain.errors import VenueError
from trading.domain.order_states import GIVEN_UP, TERMINAL, WORKING
from trading.domain.outcomes import OrderFound
from trading.domain.steps import is_cancel_overdue, is_followed, is_timed_by_follower, next_look
from trading.exchanges.base import Exchange
from trading.failpoints import failpoint
from trading.locking import lock_order
from trading.metrics import ORDER_LATENCY
from trading.models import Order

from .changes import add_evidence, set_fields
from .fill_intake import collect_fills
from .settlement import settle

_MARGIN = timedelta(seconds=5)
_CANCELING = (CancelState.REQUESTED, CancelState.SENT, CancelState.IN_DOUBT)


def follow_order(order_id: UUID) -> bool:
    """One look at the venue; books what it shows, plans the next look. True: final and fully booked."""
    order = _load(order_id)
    if not is_followed(OrderStatus(order.status)):
        return False  # a stray message: this order's timer is the lease of its permit
    if _is_complete(order):
        return _plan_next(order_id)
    failpoint("following.before_look")
    began = time.perf_counter()
    exchange = exchange_for(order.account)
    try:
        if _ends_at_once(order):
            _collect(exchange, order)
            order = _load(order_id)
        if not _is_complete(order):
            _query(exchange, order)
    except VenueError as error:
        _note(order_id, error)
    ORDER_LATENCY.labels("settle").observe(time.perf_counter() - began)
    failpoint("following.after_look")
    return _plan_next(order_id)


def _load(order_id: UUID) -> Order:
    return Order.objects.select_related("account", "instrument").get(pk=order_id)


def _is_complete(order: Order) -> bool:
    if order.status in GIVEN_UP and order.next_action_at is not None:
        return False  # somebody saw a sign of life: look once more
    return order.status in TERMINAL and order.filled_quantity >= order.venue_filled_quantity


def _ends_at_once(order: Order) -> bool:
    return order.order_type == OrderType.MARKET or order.time_in_force != TimeInForce.GTC


def _collect(exchange: Exchange, order: Order) -> None:
    collect_fills(order.account, exchange, order.instrument, (order.permit_at or order.created_at) - _MARGIN)


def _query(exchange: Exchange, order: Order) -> None:
    answer = exchange.query_order(
        order.instrument.venue_symbol,
        client_order_id=order.client_order_id if not order.exchange_order_id else "",
        exchange_order_id=order.exchange_order_id,
    )
    if not isinstance(answer, OrderFound):
        _note(order.id, answer)
        return
    if answer.report.filled_quantity > order.filled_quantity:
        _collect(exchange, order)
    if settle(order.id, report=answer.report, source="query").status in WORKING:
        _cancel_again(order.id)


def _cancel_again(order_id: UUID) -> None:
    """Refused or swallowed: a cancel that had its time and left the order open is sent once more by the poller."""
    with transaction.atomic(durable=True):
        order = lock_order(order_id)
        if is_cancel_overdue(CancelState(order.cancel_state), timezone.now() - order.updated_at):
            set_fields(order, cancel_state=CancelState.REQUESTED)


def _note(order_id: UUID, what: object) -> None:
    with transaction.atomic(durable=True):
        add_evidence(lock_order(order_id), "query", type(what).__name__, detail=str(what)[:300])


def _plan_next(order_id: UUID) -> bool:
    with transaction.atomic(durable=True):
        order = lock_order(order_id)
        if _is_complete(order):
            if order.next_action_at is not None:
                set_fields(order, next_action_at=None)
            return True
        if is_timed_by_follower(OrderStatus(order.status)):
            now = timezone.now()
            age = now - (order.acknowledged_at or order.created_at)
            wait = next_look(age, is_owed=_is_owed(order))
            set_fields(order, next_action_at=None if wait is None else now + wait)
        return False


def _is_owed(order: Order) -> bool:
    """Whether the venue still owes us the end of a cancel, or fills that it announced. What has ended, the sync has."""
    if order.status in TERMINAL:
        return False
    return order.cancel_state in _CANCELING or order.venue_filled_quantity > order.filled_quantity
