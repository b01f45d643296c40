"""[C]: what a request came to, written once, fenced by the attempt number.

Table over branches: one function per outcome. An outcome that arrives after the lease was taken over (or for an older
attempt) moves no status; it is kept as evidence and makes the resolver look at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from trading.domain.actors import system_actor
from trading.domain.doubt import DoubtState, next_query_at
from trading.domain.enums import CancelState, OrderStatus
from trading.domain.outcomes import Exchanged, NotSentOutcome, Placed, PlaceOutcome, Refused, Unknown
from trading.domain.steps import is_given_up_unsent, status_after
from trading.doorbell import ring
from trading.failpoints import failpoint
from trading.locking import lock_order
from trading.metrics import ORDER_LATENCY
from trading.models import Order, OrderAttempt

from .changes import add_evidence, move_order, set_fields
from .doubt_state import doubt_state

ACTOR = system_actor("dispatch")


def record_outcome(order_id: UUID, attempt: int, outcome: PlaceOutcome) -> None:
    """Write the attempt's end and move the order, in one commit."""
    began = time.perf_counter()
    with transaction.atomic(durable=True):
        order = lock_order(order_id)
        _finish_attempt(order, attempt, outcome)
        if order.status == OrderStatus.SUBMITTING and order.attempt == attempt:
            _APPLY[type(outcome)](order, outcome)
        else:
            _keep_late(order, attempt, outcome)
        failpoint("outcome.before_commit")
    failpoint("outcome.after_commit")
    ORDER_LATENCY.labels("request").observe(outcome.exchanged.seconds)
    ORDER_LATENCY.labels("outcome").observe(time.perf_counter() - began)


def _finish_attempt(order: Order, number: int, outcome: PlaceOutcome) -> None:
    sent: Exchanged = outcome.exchanged
    OrderAttempt.objects.filter(order=order, number=number).update(
        sent_at=sent.sent_at,
        finished_at=timezone.now(),
        outcome=_NAMES[type(outcome)],
        http_status=sent.http_status,
        venue_code=getattr(outcome, "venue_code", "") or sent.venue_code,
        detail=_detail(outcome)[:500],
        request=f"{sent.method} {sent.path}",
        answer=sent.answer,
    )


def _detail(outcome: PlaceOutcome) -> str:
    return getattr(outcome, "reason", "") or getattr(outcome, "message", "")


def _placed(order: Order, outcome: Placed) -> None:
    now = timezone.now()
    add_evidence(order, "placement", "placed", now, exchange_order_id=outcome.exchange_order_id)
    move_order(
        order,
        status_after(outcome),
        actor=ACTOR,
        exchange_order_id=outcome.exchange_order_id,
        acknowledged_at=now,
        next_action_at=now,
    )
    ring("follow_order", order.id)


def _refused(order: Order, outcome: Refused) -> None:
    add_evidence(order, "placement", "refused", venue_code=outcome.venue_code, message=outcome.message)
    move_order(
        order, status_after(outcome), actor=ACTOR, reason=f"{outcome.venue_code} {outcome.message}".strip()
    )


def _unknown(order: Order, outcome: Unknown) -> None:
    add_evidence(order, "placement", "unknown", reason=outcome.reason)
    put_in_doubt(order, outcome.reason)


def put_in_doubt(order: Order, reason: str) -> None:
    """Submitting → in doubt; the resolver's schedule begins now. The caller holds the lock."""
    now = timezone.now()
    order.doubt_since = now
    state: DoubtState = doubt_state(order)
    move_order(
        order,
        OrderStatus.IN_DOUBT,
        actor=ACTOR,
        reason=reason,
        doubt_since=now,
        next_action_at=next_query_at(state, now),
    )


def _not_sent(order: Order, outcome: NotSentOutcome) -> None:
    add_evidence(order, "placement", "not_sent", reason=outcome.reason)
    count = order.not_sent_count + 1
    again_at = timezone.now() + timedelta(milliseconds=settings.LEVI_CONFIG.live.retry_backoff_ms * count)
    move_order(
        order,
        status_after(outcome),
        actor=ACTOR,
        reason=outcome.reason,
        not_sent_count=count,
        next_action_at=again_at,
    )
    if is_given_up_unsent(count, CancelState(order.cancel_state), order.expires_at, timezone.now()):
        move_order(order, OrderStatus.LAPSED, actor=ACTOR, reason=f"not sent: {outcome.reason}")


def _keep_late(order: Order, attempt: int, outcome: PlaceOutcome) -> None:
    add_evidence(
        order, "placement", f"late_{_NAMES[type(outcome)]}", attempt=attempt, detail=_detail(outcome)
    )
    if isinstance(outcome, Placed):
        # The venue has it: let the resolver see that with its own eyes, now. Also a given-up order.
        missing_id = {} if order.exchange_order_id else {"exchange_order_id": outcome.exchange_order_id}
        set_fields(order, next_action_at=timezone.now(), **missing_id)
        ring("follow_order", order.id)


_NAMES = {Placed: "placed", Refused: "refused", Unknown: "unknown", NotSentOutcome: "not_sent"}
_APPLY: dict[type, Callable[[Order, Any], None]] = {
    Placed: _placed,
    Refused: _refused,
    Unknown: _unknown,
    NotSentOutcome: _not_sent,
}
