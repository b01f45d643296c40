"""Finds what no bell announced, and the sync that looks at everything: `poller.py`, `tasks.py`, `sync.py`."""

from __future__ import annotations

from trading.domain.enums import CancelState, OrderStatus
from trading.domain.order_states import TERMINAL, UNRESOLVED, WORKING
from trading.domain.outcomes import OrderReport

from ..kernel import Steps, StoreError, Waiter
from ..scenario import ACCOUNTS, SYMBOLS
from ..store import OrderRow
from .cancellation import send_cancel
from .dispatch import dispatch_order
from .following import follow_order
from .in_doubt import WAITING, expire_lease, resolve_order
from .node import IllegalMove, Node
from .settlement import collect_fills, find_order, settle, wake
from .sweep import run_sweep, waiting_sweeps

_CLAIM = 3.0
_QUIET = 5.0
_BELLS = {"dispatch_order": dispatch_order, "follow_order": follow_order, "cancel_order": send_cancel}
SWEEP_POLL = 0.5


def advance_order(me: Node, order_id: int) -> Steps:
    row = yield from me.read(order_id)
    if row.status is OrderStatus.APPROVED:
        yield from dispatch_order(me, order_id)
    elif row.status is OrderStatus.SUBMITTING:
        yield from expire_lease(me, order_id)
    elif row.status in WAITING:
        yield from resolve_order(me, order_id)
    else:
        if row.status in WORKING and row.cancel_state in (CancelState.REQUESTED, CancelState.IN_DOUBT):
            yield from send_cancel(me, order_id)
        yield from follow_order(me, order_id)


def poll_once(me: Node) -> Steps:
    due = [
        (row.next_action_at, row.id, row.status)
        for row in me.store.orders.values()
        if row.next_action_at is not None and row.next_action_at <= me.now
    ]
    for due_at, order_id, status in sorted(due):
        try:
            if status is OrderStatus.SUBMITTING or (yield from _claim(me, order_id, due_at)):
                yield from advance_order(me, order_id)
        except IllegalMove as error:
            me.tell(f"is refused by the database: {error}")


def _claim(me: Node, order_id: int, due_at: float) -> Steps:
    tx = me.begin(is_bare=True)
    row = yield from tx.lock_order(order_id)
    if row.next_action_at != due_at:
        tx.abort()
        return False
    row.next_action_at = me.now + _CLAIM
    yield from tx.commit()
    return True


def poll_for_ever(me: Node) -> Steps:
    while True:
        yield me.tunables.poll * (0.8 + 0.4 * me.process.kernel.random())
        try:
            yield from poll_once(me)
        except StoreError:
            continue


def answer_bells(me: Node) -> Steps:
    """The worker proper: one message at a time, taken off the queue before the work (early acknowledgement)."""
    while True:
        if not me.bells:
            me.waiting = Waiter()
            yield me.waiting
            me.waiting = None
        task, order_id = me.bells.pop(0)
        try:
            yield from _BELLS[task](me, order_id)
        except (StoreError, IllegalMove):
            continue


def sync_for_ever(me: Node) -> Steps:
    while True:
        yield me.tunables.sync
        try:
            for account in ACCOUNTS:
                yield from sync_account(me, account)
        except (StoreError, IllegalMove):
            continue


def sync_account(me: Node, account: str) -> Steps:
    mine = [row for row in me.store.orders.values() if row.account == account]
    if not mine:
        return
    asked_at = me.now
    reports = yield from me.network.ask(me.process, "read", me.venue.open_orders, account)
    if not isinstance(reports, list):
        return
    yield from _sync_orders(me, account, reports, asked_at)
    for symbol in SYMBOLS:
        if any(row.symbol == symbol for row in mine) and not (yield from collect_fills(me, account, symbol)):
            return


def _sync_orders(me: Node, account: str, reports: list[OrderReport], asked_at: float) -> Steps:
    shown = {report.client_order_id: report for report in reports}
    for row in [row for row in me.store.orders.values() if row.account == account]:
        if row.status in WORKING | UNRESOLVED and _needs_look(row, shown.get(row.client_order_id), asked_at):
            yield from wake(me, row.id, frozenset({row.status}))
    for report in reports:
        order_id = find_order(me, report.client_order_id)
        if order_id is not None and me.store.orders[order_id].status in TERMINAL:
            yield from settle(me, order_id, report=report)


def _needs_look(row: OrderRow, report: OrderReport | None, asked_at: float) -> bool:
    if row.updated_at > asked_at - _QUIET or row.status is OrderStatus.SUBMITTING:
        return False
    if report is None:
        return row.status in WORKING
    return row.status not in WORKING or report.filled_quantity != row.venue_filled


def sweep_for_ever(me: Node) -> Steps:
    while True:
        yield SWEEP_POLL
        try:
            for sweep in waiting_sweeps(me):
                yield from run_sweep(me, sweep)
        except (StoreError, IllegalMove):
            continue
