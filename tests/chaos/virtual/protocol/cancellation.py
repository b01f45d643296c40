"""Cancels, which nothing may stop: `execution/cancellation.py`."""

from __future__ import annotations

from trading.domain.enums import CancelState, OrderStatus
from trading.domain.gate import ask_gate
from trading.domain.order_states import TERMINAL, WORKING
from trading.domain.outcomes import CancelOutcome, NotSentOutcome
from trading.domain.steps import cancel_state_after, may_send_cancel

from ..kernel import Steps, StoreError
from ..store import OrderRow
from .approval import read_scopes
from .node import Node


def ask_for_cancel(me: Node, order_id: int) -> Steps:
    """A client that repeats its request until it has an answer."""
    while True:
        try:
            yield from request_cancel(me, order_id)
            return
        except StoreError:
            yield 0.3


def request_cancel(me: Node, order_id: int) -> Steps:
    tx = me.begin()
    row = yield from tx.lock_order(order_id)
    if row.status in TERMINAL:
        tx.abort()
        return
    if row.status is OrderStatus.APPROVED:
        row.cancel_state = CancelState.CONFIRMED
        me.move_order(row, OrderStatus.LAPSED)
    elif row.cancel_state is not CancelState.REQUESTED or row.status in WORKING:
        row.cancel_state, row.is_touched = CancelState.REQUESTED, True  # written also when it says the same
        me.tell(f"asks for the cancel of order {row.name}")
        if row.status in WORKING:
            row.next_action_at = me.now
    yield from tx.commit()
    if row.status in WORKING:
        me.ring("cancel_order", order_id)


def send_cancel(me: Node, order_id: int) -> Steps:
    row = yield from me.read(order_id)
    asked = may_send_cancel(row.status, row.cancel_state) or me.mutations.stray_bell_cancels
    if row.status not in WORKING or not asked or _is_stopped(me, row):
        return
    me.tell(f"sends the cancel of order {row.name}")
    outcome: CancelOutcome = NotSentOutcome("connection refused")
    if not me.network.is_refused():
        outcome = yield from me.network.ask(me.process, "cancel", me.venue.cancel, row.client_order_id)
    tx = me.begin()
    locked = yield from tx.lock_order(order_id)
    if locked.status in WORKING:
        locked.cancel_state = cancel_state_after(outcome)
        locked.next_action_at = me.now
    yield from tx.commit()
    me.ring("follow_order", order_id)


def _is_stopped(me: Node, row: OrderRow) -> bool:
    """Only a broken product lets a halt stop a cancel."""
    scopes = read_scopes(me, row.account, row.symbol, row.strategy)
    return me.mutations.cancel_needs_the_gate and bool(ask_gate(scopes, shrinks_position=True))
