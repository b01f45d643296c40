"""Cancel what is open, look, repeat, until it is proven empty or time is up: `execution/sweep.py`."""

from __future__ import annotations

from trading.domain.clean import AccountLook, count_clean_rounds, is_clean
from trading.domain.enums import CancelState, HaltScope, OrderStatus
from trading.domain.order_states import TERMINAL, UNRESOLVED, WORKING
from trading.domain.outcomes import OrderReport
from trading.execution.dispatch_limits import LAST_ACCEPTANCE

from ..kernel import Steps, as_time
from ..scenario import ACCOUNTS
from ..store import OrderRow, ScopeKey, SweepRow
from .cancellation import send_cancel
from .dispatch import lapse_if_void
from .following import follow_order
from .in_doubt import WAITING, resolve_order
from .node import Node
from .settlement import settle

LEASE = 15.0
LONGEST = 300.0
_PAUSES = (0.3, 0.5, 1.0, 1.0, 2.0)


def waiting_sweeps(me: Node) -> list[SweepRow]:
    return [s for s in me.store.sweeps.values() if s.verdict == "running" and s.leased_until < me.now]


def run_sweep(me: Node, sweep: SweepRow) -> Steps:
    clean_rounds, rounds, proof = 0, 0, as_time(sweep.engaged_at) + LAST_ACCEPTANCE
    while True:
        yield None
        if sweep.verdict != "running" or (
            sweep.leased_by != me.process.name and sweep.leased_until >= me.now
        ):
            return
        sweep.leased_by, sweep.leased_until = me.process.name, me.now + LEASE
        round_began = me.time
        looks = yield from _one_round(me, sweep)
        if me.mutations.clean_without_waiting:
            proof = round_began
        if me.mutations.clean_ignores_the_books:
            round_began = me.time  # an answer that came late counted as asked late
        clean_rounds = count_clean_rounds(clean_rounds, looks, round_began, proof)
        late = me.now >= sweep.engaged_at + LONGEST and clean_rounds == 0
        if is_clean(clean_rounds) or late:
            yield from _finish(me, sweep, "clean" if is_clean(clean_rounds) else "survivors")
            return
        rounds += 1
        yield _PAUSES[min(rounds, len(_PAUSES) - 1)]


def is_in_scope(row: OrderRow, scope: ScopeKey) -> bool:
    kind, target = scope
    return {
        HaltScope.EVERYTHING: True,
        HaltScope.ACCOUNT: row.account == target,
        HaltScope.INSTRUMENT: row.symbol == target,
        HaltScope.STRATEGY: row.strategy == target,
    }[HaltScope(kind)]


def _in_scope(me: Node, sweep: SweepRow) -> list[OrderRow]:
    """Orders approved before the halt: what a release allowed since then is not the sweep's business."""
    rows = [row for row in me.store.orders.values() if is_in_scope(row, sweep.scope)]
    return [row for row in rows if row.approved_epoch is not None and row.approved_epoch < sweep.epoch]


def _one_round(me: Node, sweep: SweepRow) -> Steps:
    yield None
    yield from _cancel_ours(me, sweep)
    for row in _in_scope(me, sweep):
        if row.status is OrderStatus.APPROVED:
            yield from lapse_if_void(me, row.id)
    for row in _in_scope(me, sweep):
        if row.status in WAITING and (row.next_action_at is None or row.next_action_at <= me.now):
            yield from resolve_order(me, row.id)
    looks = []
    for account in ACCOUNTS if sweep.scope[0] != HaltScope.ACCOUNT else (sweep.scope[1],):
        looks.append((yield from _look(me, sweep, account)))
    return looks


def _cancel_ours(me: Node, sweep: SweepRow) -> Steps:
    working = [row for row in _in_scope(me, sweep) if row.status in WORKING]
    for row in working:
        if row.cancel_state is CancelState.SENT:
            yield from follow_order(me, row.id)
        else:
            yield from _cancel(me, row.id)


def _cancel(me: Node, order_id: int) -> Steps:
    tx = me.begin()
    row = yield from tx.lock_order(order_id)
    if row.status in WORKING and row.cancel_state is CancelState.NONE:
        row.cancel_state = CancelState.REQUESTED
    yield from tx.commit()
    yield from send_cancel(me, order_id)


def _look(me: Node, sweep: SweepRow, account: str) -> Steps:
    yield None
    doubtful = UNRESOLVED if me.mutations.clean_ignores_the_books else UNRESOLVED | WORKING
    mine = [row for row in _in_scope(me, sweep) if row.account == account]
    alive = sum(row.status in doubtful for row in mine)
    if me.mutations.clean_without_waiting:
        alive = 0
    reports = yield from me.network.ask(me.process, "read", me.venue.open_orders, account)
    names = {row.client_order_id for row in mine}
    if not isinstance(reports, list):
        return AccountLook(False, 0, alive)
    ours = [report for report in reports if report.client_order_id in names]
    yield from _take_in_lost(me, mine, ours)
    return AccountLook(True, len(ours), alive)


def _take_in_lost(me: Node, mine: list[OrderRow], reports: list[OrderReport]) -> Steps:
    """Open at the venue and not alive in our books: settled here, so that the next round cancels it."""
    ids = {row.client_order_id: row.id for row in mine}
    for report in reports:
        order_id = ids[report.client_order_id]
        if me.store.orders[order_id].status in TERMINAL:
            yield from settle(me, order_id, report=report)


def _finish(me: Node, sweep: SweepRow, verdict: str) -> Steps:
    tx = me.begin()
    yield from tx.take(("sweep", sweep.id))

    def record() -> None:
        if sweep.verdict == "running":
            sweep.verdict, sweep.finished_at = verdict, me.database_now
            me.tell(f"ends the sweep of epoch {sweep.epoch}: {verdict}")

    tx.at_commit.append(record)
    yield from tx.commit()
