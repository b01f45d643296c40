"""An acknowledged order to its fills and its end: `execution/following.py`."""

from __future__ import annotations

from datetime import timedelta

from trading.domain.enums import CancelState
from trading.domain.order_states import GIVEN_UP, TERMINAL, WORKING
from trading.domain.outcomes import OrderFound
from trading.domain.steps import is_cancel_overdue, is_followed, is_timed_by_follower, next_look

from ..kernel import Steps
from ..store import OrderRow
from .node import Node
from .settlement import collect_fills, settle

_CANCELING = (CancelState.REQUESTED, CancelState.SENT, CancelState.IN_DOUBT)


def follow_order(me: Node, order_id: int) -> Steps:
    row = yield from me.read(order_id)
    if not is_followed(row.status) and not me.mutations.stray_bell_moves_the_lease:
        return
    if not _is_complete(row):
        yield from _look(me, row)
    yield from _plan_next(me, order_id)


def _look(me: Node, row: OrderRow) -> Steps:
    """A list of fills that cannot be had ends the look: what the query shows is not booked without it."""
    if row.ends_at_once:
        if not (yield from collect_fills(me, row.account, row.symbol)):
            return
        row = yield from me.read(row.id)
    if not _is_complete(row):
        yield from _query(me, row)


def _is_complete(row: OrderRow) -> bool:
    if row.status in GIVEN_UP and row.next_action_at is not None:
        return False
    return row.status in TERMINAL and row.filled >= row.venue_filled


def _query(me: Node, row: OrderRow) -> Steps:
    answer = yield from me.network.ask(me.process, "read", me.venue.query, row.client_order_id)
    if not isinstance(answer, OrderFound):
        return
    has_news = answer.report.filled_quantity > row.filled
    if has_news and not (yield from collect_fills(me, row.account, row.symbol)):
        return
    yield from settle(me, row.id, report=answer.report)
    if me.store.orders[row.id].status in WORKING and not me.mutations.refused_cancel_is_done:
        yield from _cancel_again(me, row.id)


def _cancel_again(me: Node, order_id: int) -> Steps:
    """Refused or swallowed: a cancel that had its time and left the order open is sent once more by the poller."""
    tx = me.begin()
    row = yield from tx.lock_order(order_id)
    if is_cancel_overdue(row.cancel_state, timedelta(seconds=me.now - row.updated_at)):
        row.cancel_state = CancelState.REQUESTED
    yield from tx.commit()


def _plan_next(me: Node, order_id: int) -> Steps:
    tx = me.begin()
    row = yield from tx.lock_order(order_id)
    if _is_complete(row):
        row.next_action_at = None
    elif is_timed_by_follower(row.status) or me.mutations.stray_bell_moves_the_lease:
        _set_timer(me, row)
    yield from tx.commit()


def _set_timer(me: Node, row: OrderRow) -> None:
    began = row.acknowledged_at if row.acknowledged_at is not None else row.created_at
    canceling = row.cancel_state in _CANCELING and not me.mutations.old_cancel_is_forgotten
    owed = row.status not in TERMINAL and (canceling or row.venue_filled > row.filled)
    wait = next_look(timedelta(seconds=me.now - began), is_owed=owed)
    row.next_action_at = None if wait is None else me.now + wait.total_seconds()
    row.is_touched = True
