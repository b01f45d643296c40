"""From an unknown outcome to the truth: `execution/in_doubt.py`."""

from __future__ import annotations

from trading.domain.doubt import is_proven_absent, next_query_at, should_quarantine, with_not_found
from trading.domain.enums import OrderStatus
from trading.domain.outcomes import FillReport, OrderFound, OrderNotFound, OrderReport

from ..kernel import Steps, as_seconds, as_time
from ..store import OrderRow
from .node import Node
from .outcome import doubt_state, put_in_doubt
from .settlement import collect_fills, settle

WAITING = (OrderStatus.IN_DOUBT, OrderStatus.QUARANTINED)


def expire_lease(me: Node, order_id: int) -> Steps:
    """A permit whose process never reported: in doubt from now on. Nobody re-runs it."""
    tx = me.begin()
    row = yield from tx.lock_order(order_id)
    if row.status is not OrderStatus.SUBMITTING or (row.next_action_at or me.now) > me.now:
        tx.abort()
        return
    if me.mutations.lease_over_runs_again:
        me.move_order(row, OrderStatus.APPROVED)
        row.next_action_at = me.now
    else:
        put_in_doubt(me, row)
    yield from tx.commit()


def resolve_order(me: Node, order_id: int) -> Steps:
    row = yield from me.read(order_id)
    if row.status not in WAITING:
        return
    asked_at = me.now
    answer = yield from me.network.ask(me.process, "read", me.venue.query, row.client_order_id)
    if isinstance(answer, OrderFound):
        yield from adopt_report(me, row, answer.report)
    elif isinstance(answer, OrderNotFound):
        yield from _after_not_found(me, row, asked_at)
    else:
        yield from _after_failure(me, order_id)


def adopt_report(me: Node, row: OrderRow, report: OrderReport) -> Steps:
    me.tell(f"sees order {row.name} at the venue: {report.status}")
    yield from settle(me, row.id, report=report)
    if report.filled_quantity > row.filled:
        yield from collect_fills(me, row.account, row.symbol)
        yield from settle(me, row.id, report=report)


def _after_failure(me: Node, order_id: int) -> Steps:
    tx = me.begin()
    row = yield from tx.lock_order(order_id)
    if row.status in WAITING:
        row.not_found_at, row.failures = (), row.failures + 1
        _plan(me, row)
    yield from tx.commit()


def _after_not_found(me: Node, row: OrderRow, asked_at: float) -> Steps:
    state = doubt_state(me, row)
    counted = tuple(as_seconds(at) for at in with_not_found(state, as_time(asked_at)))
    clear: dict[str, float] = {}
    if as_time(asked_at) >= state.proof_begins_at:
        seen = yield from _ask_lists(me, row, as_seconds(state.proof_begins_at), clear)
        if isinstance(seen, OrderReport):
            yield from adopt_report(me, row, seen)
            return
        if seen is not None:
            yield from _adopt_by_fill(me, row.id, seen)
            return
    tx = me.begin()
    locked = yield from tx.lock_order(row.id)
    if locked.status in WAITING:
        locked.not_found_at = counted
        for name, at in clear.items():
            setattr(locked, name, at)
        if me.mutations.one_not_found_is_proof:
            me.move_order(locked, OrderStatus.NOT_ACCEPTED)
        else:
            _plan(me, locked)
    yield from tx.commit()


def _ask_lists(me: Node, row: OrderRow, begins: float, clear: dict[str, float]) -> Steps:
    """The other two witnesses. Returns what shows the order: its report, or its fills."""
    if row.open_orders_clear_at is None or row.open_orders_clear_at < begins:
        at = me.now
        reports = yield from me.network.ask(me.process, "read", me.venue.open_orders, row.account)
        if not isinstance(reports, list):
            return None
        for report in reports:
            if report.client_order_id == row.client_order_id:
                return report
        clear["open_orders_clear_at"] = at
    if row.fills_clear_at is None or row.fills_clear_at < begins:
        at = me.now
        fills = yield from me.network.ask(me.process, "read", me.venue.fills, row.account, row.symbol)
        if not isinstance(fills, list):
            return None
        ours = [fill for fill in fills if fill.client_order_id == row.client_order_id]
        if ours:
            return ours
        clear["fills_clear_at"] = at
    return None


def _adopt_by_fill(me: Node, order_id: int, fills: list[FillReport]) -> Steps:
    """The fills show what the query did not: book them; the order is at the venue."""
    tx = me.begin()
    row = yield from tx.lock_order(order_id)
    if row.status in WAITING:
        me.move_order(row, OrderStatus.PARTIALLY_FILLED)
        row.exchange_order_id = fills[0].exchange_order_id
        row.acknowledged_at = row.next_action_at = me.now
    yield from tx.commit()
    yield from settle(me, order_id, fills=fills)


def _plan(me: Node, row: OrderRow) -> None:
    """Proven absent, quarantine, or the next query. The caller holds the lock."""
    row.is_touched = True
    state = doubt_state(me, row)
    if is_proven_absent(state) or (me.mutations.five_failed_queries_are_proof and row.failures >= 5):
        me.tell(f"holds order {row.name} for proven absent")
        me.move_order(row, OrderStatus.NOT_ACCEPTED)
        return
    if row.status is OrderStatus.IN_DOUBT and should_quarantine(state, me.time):
        me.move_order(row, OrderStatus.QUARANTINED)
        if me.mutations.quarantine_is_forgotten:
            row.next_action_at = None
            return
    row.next_action_at = as_seconds(next_query_at(state, me.time))
