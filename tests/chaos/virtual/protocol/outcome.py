"""[C], fenced by the attempt number: `execution/outcome.py`."""

from __future__ import annotations

from datetime import timedelta

from trading.domain.doubt import DoubtState, next_query_at
from trading.domain.enums import OrderStatus
from trading.domain.outcomes import NotSentOutcome, Placed, PlaceOutcome, Unknown
from trading.domain.steps import is_given_up_unsent, status_after

from ..kernel import Steps, as_seconds, as_time
from ..network import SERVER_ERROR, TIMED_OUT
from ..store import OrderRow
from .node import Node

RETRY_BACKOFF = 0.5


def record_outcome(me: Node, order_id: int, attempt: int, outcome: PlaceOutcome) -> Steps:
    tx = me.begin()
    row = yield from tx.lock_order(order_id)
    is_mine = row.status is OrderStatus.SUBMITTING and row.attempt == attempt
    if is_mine or me.mutations.no_attempt_guard:
        _apply(me, row, outcome, is_forced=not is_mine)
    elif isinstance(outcome, Placed):
        row.exchange_order_id = row.exchange_order_id or outcome.exchange_order_id
        row.next_action_at = me.now  # let the resolver or the follower see it with its own eyes, now
    yield from tx.commit()
    if isinstance(outcome, Placed):
        me.ring("follow_order", order_id)


def _apply(me: Node, row: OrderRow, outcome: PlaceOutcome, *, is_forced: bool) -> None:
    status = _status_of(me, outcome)
    if status is OrderStatus.IN_DOUBT:
        put_in_doubt(me, row, is_forced=is_forced)
        return
    me.move_order(row, status, is_forced=is_forced)
    if isinstance(outcome, Placed):
        row.exchange_order_id, row.acknowledged_at = outcome.exchange_order_id, me.now
        row.next_action_at = me.now
    elif isinstance(outcome, NotSentOutcome):
        row.not_sent_count += 1
        row.next_action_at = me.now + RETRY_BACKOFF * row.not_sent_count
        expires = None if row.expires_at is None else as_time(row.expires_at)
        if is_given_up_unsent(row.not_sent_count, row.cancel_state, expires, me.time):
            me.move_order(row, OrderStatus.LAPSED)


def _status_of(me: Node, outcome: PlaceOutcome) -> OrderStatus:
    failed = (me.mutations.timeout_is_failed and outcome is TIMED_OUT) or (
        me.mutations.server_error_is_failed and outcome is SERVER_ERROR
    )
    return OrderStatus.REJECTED if failed and isinstance(outcome, Unknown) else status_after(outcome)


def put_in_doubt(me: Node, row: OrderRow, *, is_forced: bool = False) -> None:
    row.doubt_since = me.now
    me.move_order(row, OrderStatus.IN_DOUBT, is_forced=is_forced)
    row.next_action_at = as_seconds(next_query_at(doubt_state(me, row), me.time))


def doubt_state(me: Node, row: OrderRow) -> DoubtState:
    """Between the row and the domain's DoubtState. A negative window takes the waiting out of the proof."""
    if row.permit_at is None or row.doubt_since is None:
        raise ValueError(f"{row.name} was never in doubt")
    return DoubtState(
        permit_at=as_time(row.permit_at),
        doubt_since=as_time(row.doubt_since),
        window=timedelta(seconds=-16.0 if me.mutations.proof_without_waiting else row.window),
        not_found_at=tuple(as_time(at) for at in row.not_found_at),
        open_orders_clear_at=None if row.open_orders_clear_at is None else as_time(row.open_orders_clear_at),
        fills_clear_at=None if row.fills_clear_at is None else as_time(row.fills_clear_at),
    )
