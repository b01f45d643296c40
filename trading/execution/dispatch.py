"""Stage 3: permit [B], request, outcome [C].

[B] is one short READ COMMITTED transaction: the shared halt lock, then one conditional UPDATE that must change exactly
one row and asks everything again (status, expiry, epoch, every scope, all limits, account, build). If its COMMIT is
not confirmed, the exception ends the call and nothing is sent. Between [B] and [C] stands the only venue call. [C] is
fenced by the attempt number: whoever comes late changes no status and leaves evidence only.

Never sends anything twice: after a byte may have left, only evidence moves the order.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from trading import audit
from trading.connections import exchange_for
from trading.domain.actors import system_actor
from trading.domain.enums import OrderOrigin, OrderStatus, OrderType, Side, TimeInForce
from trading.domain.errors import LeviError
from trading.domain.outcomes import PlaceOutcome, PlaceRequest
from trading.domain.permits import ApprovalView, PermitFacts, passing_states, why_void
from trading.exchanges.base import Exchange
from trading.exchanges.clock import boot_seconds
from trading.failpoints import failpoint
from trading.locking import SHARE_HALT_LOCK, lock_order
from trading.metrics import ORDER_LATENCY
from trading.models import Order
from trading.process_name import process_name
from trading.queries.halts import current_epoch, read_scopes, scope_names
from trading.queries.limits import applying_scopes, read_limits

from .builds import look_after_refusal, stands_back
from .changes import move_order, order_data
from .dispatch_limits import LEASE, PERMIT_SECONDS, SLOT_WAIT_SECONDS, WINDOW_MS
from .outcome import record_outcome

log = logging.getLogger(__name__)
ACTOR = system_actor("dispatch")


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to start writing one request before `deadline` (boot clock, seconds)."""

    order: Order
    attempt: int
    permit_at: datetime
    venue_time_ms: int
    deadline: float


def dispatch_order(order_id: UUID) -> PlaceOutcome | None:
    """Send an approved order if everything still allows it. None: nothing was sent by this call."""
    order = _load(order_id)
    if order.status != OrderStatus.APPROVED:
        return None
    exchange, permit = None, None
    try:
        if not stands_back():
            exchange = exchange_for(order.account)
            permit = _dial_and_permit(order, exchange)
    except LeviError as error:
        log.warning("order %s not sent yet: %s", order.client_order_id, error)
    if exchange is None or permit is None:
        lapse_if_void(_load(order_id))  # else the poller comes again
        return None
    outcome = exchange.place_order(_place_request(permit))
    record_outcome(order.id, permit.attempt, outcome)
    return outcome


def _load(order_id: UUID) -> Order:
    return Order.objects.select_related("account", "instrument", "strategy").get(pk=order_id)


def _dial_and_permit(order: Order, exchange: Exchange) -> Permit | None:
    """A live connection and a place in the rate limit first, so that neither eats the permit's second."""
    failpoint("dispatch.before_dial")
    began = time.perf_counter()
    exchange.warm_up()
    if not exchange.acquire_place_slot(SLOT_WAIT_SECONDS):
        return None
    ORDER_LATENCY.labels("dial").observe(time.perf_counter() - began)
    failpoint("dispatch.after_dial")
    return _take_permit(order, exchange)


_CLAIM = """
WITH permitted AS (
UPDATE trading_order AS o
   SET status = 'submitting', attempt = o.attempt + 1, permit_at = clock_timestamp(), window_ms = %(window_ms)s,
       next_action_at = clock_timestamp() + make_interval(secs => %(lease)s), updated_at = clock_timestamp()
 WHERE o.id = %(id)s
   AND o.status = 'approved'
   AND o.expires_at > clock_timestamp()
   AND o.approved_epoch = (SELECT epoch FROM trading_controlepoch WHERE id = 1)
   AND (SELECT expected_build FROM trading_controlepoch WHERE id = 1) IN ('', %(build)s)
   AND o.limits_versions = (
       SELECT array_agg(newest ORDER BY newest) FROM (
           SELECT max(l.version) AS newest FROM trading_limitsversion l
            WHERE (l.scope, l.target) IN (SELECT * FROM unnest(%(scopes)s::text[], %(targets)s::text[]))
              AND l.effective_at <= clock_timestamp()
              AND (l.expires_at IS NULL OR l.expires_at > clock_timestamp())
            GROUP BY l.scope, l.target) AS current)
   AND EXISTS (SELECT 1 FROM trading_exchangeaccount a WHERE a.id = o.account_id AND a.is_enabled AND a.mode = %(mode)s)
   AND (SELECT count(*) FROM trading_haltstate h
         WHERE (h.scope, h.target) IN (SELECT * FROM unnest(%(scopes)s::text[], %(targets)s::text[]))
           AND h.state = ANY(%(passing)s)) = %(scope_count)s
RETURNING o.id, o.attempt, o.permit_at
), attempted AS (
INSERT INTO trading_orderattempt
       (order_id, number, process, build, permit_at, outcome, venue_code, detail, request, answer)
SELECT id, attempt, %(process)s, %(build)s, permit_at, '', '', '', '', '' FROM permitted
)
SELECT attempt, permit_at FROM permitted
"""


def _take_permit(order: Order, exchange: Exchange) -> Permit | None:
    """[B]: exactly one row, or no order."""
    began = time.perf_counter()
    # Both clocks are read before the row is written: the permit can only be shorter than a second, never longer.
    deadline = boot_seconds() + PERMIT_SECONDS
    venue_time_ms = exchange.venue_time_ms()
    names = scope_names(
        order.account.name, order.instrument.symbol, order.strategy.name if order.strategy else None
    )
    passing = passing_states(reduce_only=order.reduce_only, flattens=_flattens(order))
    facts = {
        "id": order.id,
        "window_ms": WINDOW_MS,
        "lease": LEASE.total_seconds(),
        "build": settings.BUILD,
        "mode": settings.LEVI_MODE,
        "process": process_name(),
        "scopes": [scope.value for scope, _ in names],
        "targets": [target for _, target in names],
        "passing": [state.value for state in passing],
        "scope_count": len(names),
    }
    with transaction.atomic(durable=True):
        row = _claim(facts)
        if row is None:
            look_after_refusal()
            return None
        attempt, permit_at = row
        order.status, order.attempt, order.permit_at = OrderStatus.SUBMITTING, attempt, permit_at
        audit.record(
            "order.submitting",
            actor=ACTOR,
            object_type="order",
            object_id=order.id,
            data=order_data(order, before=OrderStatus.APPROVED, attempt=attempt, process=process_name()),
        )
        failpoint("dispatch.before_permit_commit")
    failpoint("dispatch.after_permit")
    ORDER_LATENCY.labels("permit").observe(time.perf_counter() - began)
    if order.approved_at is not None:
        ORDER_LATENCY.labels("wait").observe((permit_at - order.approved_at).total_seconds())
    return Permit(order, attempt, permit_at, venue_time_ms, deadline)


def _claim(facts: dict[str, Any]) -> tuple[int, datetime] | None:
    """Lock, then UPDATE: two statements with a snapshot each, in one round trip."""
    with connection.cursor() as cursor:
        cursor.execute(f"{SHARE_HALT_LOCK} {_CLAIM}", facts)
        cursor.nextset()
        row: tuple[int, datetime] | None = cursor.fetchone()
        return row


def _flattens(order: Order) -> bool:
    return order.origin == OrderOrigin.FLATTEN


def _place_request(permit: Permit) -> PlaceRequest:
    order = permit.order
    return PlaceRequest(
        client_order_id=order.client_order_id,
        venue_symbol=order.instrument.venue_symbol,
        side=Side(order.side),
        order_type=OrderType(order.order_type),
        time_in_force=TimeInForce(order.time_in_force),
        quantity=order.quantity,
        quote_quantity=order.quote_quantity,
        price=order.price,
        venue_time_ms=permit.venue_time_ms,
        window_ms=WINDOW_MS,
        deadline=permit.deadline,
        flattens=_flattens(order),
    )


def _why_void(order: Order) -> str:
    """Why this approval cannot be used any more; empty if it can. The UPDATE of [B] asks the same."""
    strategy = order.strategy.name if order.strategy else None
    limits = read_limits(applying_scopes(order.account.name, order.instrument.symbol, strategy))
    facts = PermitFacts(
        now=timezone.now(),
        epoch=current_epoch(),
        limits_versions=tuple(limits.versions) if limits.widest else None,
        account_is_usable=order.account.is_enabled and order.account.mode == settings.LEVI_MODE,
        scopes=read_scopes(order.account.name, order.instrument.symbol, strategy),
    )
    view = ApprovalView(
        order.expires_at,
        order.approved_epoch,
        tuple(order.limits_versions),
        order.reduce_only,
        flattens=_flattens(order),
    )
    return why_void(view, facts)


def lapse_if_void(order: Order) -> bool:
    """End an approval that can never be used again; True if it lapsed."""
    reason = _why_void(order)
    if not reason:
        return False
    with transaction.atomic(durable=True):
        locked = lock_order(order.id)
        if locked.status != OrderStatus.APPROVED:
            return False
        move_order(locked, OrderStatus.LAPSED, actor=ACTOR, reason=reason)
    return True
