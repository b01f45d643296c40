"""From an unknown outcome to the truth, by targeted queries only.

Positive evidence from any source ends the doubt at once. Absence needs the full negative proof of `domain.doubt`; a
query that failed proves nothing and empties the count. Without proof after fifteen minutes the order is quarantined: it
goes on counting in full, is asked about further, and a person may resolve it. Nothing here ever sends an order again.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from trading.connections import exchange_for
from trading.domain.actors import system_actor
from trading.domain.doubt import (
    MARGIN,
    DoubtState,
    is_proven_absent,
    next_query_at,
    should_quarantine,
    with_not_found,
)
from trading.domain.enums import OrderStatus
from trading.domain.errors import VenueError
from trading.domain.outcomes import FillReport, OrderFound, OrderNotFound, OrderReport, QueryFailed
from trading.exchanges.base import Exchange
from trading.failpoints import failpoint
from trading.locking import lock_order
from trading.models import Order

from .changes import add_evidence, move_order, set_fields
from .doubt_state import doubt_state
from .fill_intake import collect_fills
from .outcome import put_in_doubt
from .settlement import settle

ACTOR = system_actor("resolver")
_WAITING = (OrderStatus.IN_DOUBT, OrderStatus.QUARANTINED)


def expire_lease(order_id: UUID) -> bool:
    """A permit whose process never reported: in doubt from now on. Nobody re-runs it."""
    with transaction.atomic(durable=True):
        order = lock_order(order_id)
        if (
            order.status != OrderStatus.SUBMITTING
            or (order.next_action_at or timezone.now()) > timezone.now()
        ):
            return False
        add_evidence(order, "lease", "expired", attempt=order.attempt)
        put_in_doubt(order, "the process that held the permit did not report an outcome")
        failpoint("in_doubt.before_lease_commit")
    return True


def resolve_order(order_id: UUID) -> OrderStatus:
    """Ask the venue once about an order in doubt and write what follows. Returns the order's status afterwards."""
    order = Order.objects.select_related("account", "instrument").get(pk=order_id)
    if order.status not in _WAITING:
        return OrderStatus(order.status)
    exchange = exchange_for(order.account)
    asked_at = timezone.now()
    failpoint("in_doubt.before_query")
    answer = exchange.query_order(
        order.instrument.venue_symbol,
        client_order_id=order.client_order_id,
        exchange_order_id=order.exchange_order_id,
    )
    failpoint("in_doubt.after_query")
    if isinstance(answer, OrderFound):
        return adopt_report(exchange, order, answer.report)
    if isinstance(answer, QueryFailed):
        return _after_failure(order_id, answer)
    return _after_not_found(exchange, order, answer, asked_at)


def adopt_report(exchange: Exchange, order: Order, report: OrderReport) -> OrderStatus:
    """The venue shows it. Its end waits for its fills, which are asked for now and by the follower after that."""
    status = settle(order.id, report=report, source="query").status
    if report.filled_quantity > order.filled_quantity:
        with suppress(VenueError):
            collect_fills(
                order.account, exchange, order.instrument, (order.permit_at or order.created_at) - MARGIN
            )
        status = settle(order.id, report=report, source="query").status
    return status


def _after_failure(order_id: UUID, answer: QueryFailed) -> OrderStatus:
    with transaction.atomic(durable=True):
        order = lock_order(order_id)
        if order.status in _WAITING:
            add_evidence(order, "query", "failed", reason=answer.reason[:300])
            _plan(order, not_found_at=[])
        return OrderStatus(order.status)


def _after_not_found(
    exchange: Exchange, order: Order, answer: OrderNotFound, asked_at: datetime
) -> OrderStatus:
    state = doubt_state(order)
    counted = with_not_found(state, asked_at)
    seen, clear = _ask_lists(exchange, order, state, asked_at)
    if seen is not None:
        return (
            adopt_report(exchange, order, seen)
            if isinstance(seen, OrderReport)
            else _adopt_by_fill(order, seen)
        )
    with transaction.atomic(durable=True):
        locked = lock_order(order.id)
        if locked.status not in _WAITING:
            return OrderStatus(locked.status)
        add_evidence(
            locked, "query", "not_found", asked_at, venue_code=answer.venue_code, counted=len(counted)
        )
        _plan(locked, not_found_at=[at.isoformat() for at in counted], **clear)
        return OrderStatus(locked.status)


def _ask_lists(
    exchange: Exchange, order: Order, state: DoubtState, asked_at: datetime
) -> tuple[OrderReport | list[FillReport] | None, dict[str, datetime]]:
    """The other two witnesses, asked once silence begins to count: (what showed the order, what was clear when)."""
    if asked_at < state.proof_begins_at:
        return None, {}
    clear: dict[str, datetime] = {}
    symbol = order.instrument.venue_symbol
    try:
        if state.open_orders_clear_at is None or state.open_orders_clear_at < state.proof_begins_at:
            at = timezone.now()
            for report in exchange.fetch_open_orders(symbol):
                if report.client_order_id == order.client_order_id:
                    return report, {}
            clear["open_orders_clear_at"] = at
        if state.fills_clear_at is None or state.fills_clear_at < state.proof_begins_at:
            at = timezone.now()
            fills = exchange.fetch_fills(symbol, since=state.permit_at - MARGIN)
            ours = [fill for fill in fills if fill.client_order_id == order.client_order_id]
            if ours:
                return ours, {}
            if not _has_stranger(order, fills):
                clear["fills_clear_at"] = at
    except VenueError:
        pass  # a witness that cannot be heard leaves the proof incomplete
    return None, clear


def _has_stranger(order: Order, fills: list[FillReport]) -> bool:
    """A fill of an order we do not know and that names no client id might be ours: then the list proves nothing."""
    nameless = {fill.exchange_order_id for fill in fills if not fill.client_order_id}
    known = Order.objects.filter(account=order.account, exchange_order_id__in=nameless)
    return len(nameless) > known.count()


def _adopt_by_fill(order: Order, fills: list[FillReport]) -> OrderStatus:
    """The fills show what the query did not: book them; the order is at the venue."""
    with transaction.atomic(durable=True):
        locked = lock_order(order.id)
        if locked.status in _WAITING:
            add_evidence(locked, "fills", "seen", exchange_order_id=fills[0].exchange_order_id)
            move_order(
                locked,
                OrderStatus.PARTIALLY_FILLED,
                actor=ACTOR,
                exchange_order_id=fills[0].exchange_order_id,
                acknowledged_at=timezone.now(),
                next_action_at=timezone.now(),
            )
    return settle(order.id, fills=fills, source="fills").status


def _plan(order: Order, **fields: object) -> None:
    """Write what was learned, then: proven absent, quarantine, or the next query. The caller holds the lock."""
    for name, value in fields.items():
        setattr(order, name, value)  # judged first, then written with what follows from it, in one statement
    now = timezone.now()
    state = doubt_state(order)
    if is_proven_absent(state):
        move_order(
            order,
            OrderStatus.NOT_ACCEPTED,
            actor=ACTOR,
            reason="proven: the venue never took it",
            **fields,
        )
    elif order.status == OrderStatus.IN_DOUBT and should_quarantine(state, now):
        move_order(
            order,
            OrderStatus.QUARANTINED,
            actor=ACTOR,
            reason="no proof within 15 minutes: a person has to look",
            next_action_at=next_query_at(state, now),
            **fields,
        )
    else:
        set_fields(order, next_action_at=next_query_at(state, now), **fields)
