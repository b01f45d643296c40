"""Permit [B], the request, outcome [C]: `execution/dispatch.py` and the sending half of an adapter."""

from __future__ import annotations

from dataclasses import dataclass

from trading.domain.enums import OrderStatus
from trading.domain.outcomes import NotSentOutcome, PlaceOutcome, Unknown
from trading.domain.permits import ApprovalView, PermitFacts, why_void
from trading.execution.dispatch_limits import PERMIT_SECONDS, WINDOW_MS

from ..kernel import Steps, StoreError, as_time
from ..network import TIMED_OUT, Written
from ..store import OrderRow, PermitRow, Transaction
from .approval import read_scopes
from .node import Node
from .outcome import record_outcome

_WINDOW = WINDOW_MS / 1000
_DIAL_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Permit:
    order: OrderRow
    attempt: int
    deadline: float
    latest: float  # stamp + window, in venue time


def dispatch_order(me: Node, order_id: int) -> Steps:
    row = yield from me.read(order_id)
    if row.status is not OrderStatus.APPROVED:
        return
    permit = None
    if (yield from _warm_up(me)):
        permit = yield from _take_permit(me, row)
    if permit is None:
        yield from lapse_if_void(me, order_id)
        return
    outcome = yield from place_order(me, permit)
    if me.mutations.blind_retry and isinstance(outcome, Unknown):
        outcome = yield from place_order(me, permit)
    if me.process.hold_before_outcome:
        me.process.pause(me.process.hold_before_outcome.pop())
        yield 0.0
    yield from record_outcome(me, order_id, permit.attempt, outcome)


def _warm_up(me: Node) -> Steps:
    """Dial before the permit. False: no connection, so no permit is taken."""
    yield None
    if me.network.is_refused():
        yield _DIAL_SECONDS
        return not me.network.is_refused()
    return True


def _take_permit(me: Node, seen: OrderRow) -> Steps:
    """One row, or no order. Both clocks are read before the row is written."""
    deadline = me.database_now + PERMIT_SECONDS  # boot clock: no skew, only differences mean something
    latest = me.database_now - me.tunables.stamp_late + _WINDOW
    tx = me.begin()
    early = _facts(me, seen) if me.mutations.repeatable_read_permit else None
    granted = yield from tx.take("halts", exclusive=False)
    if not granted:
        tx.abort()
        raise StoreError("lock time-out")
    if me.process.hold_in_permit:
        me.process.pause(me.process.hold_in_permit.pop())
    yield from tx.statement()
    facts = early or _facts(me, seen)  # what the UPDATE's snapshot shows …
    row = yield from _claim_row(me, tx, seen)  # … and the newest version of the row
    if row is None or why_void(_approval(me, row, facts), facts):
        tx.abort()
        return None
    row.status, row.attempt, row.permit_at = OrderStatus.SUBMITTING, row.attempt + 1, me.database_now
    row.window, row.next_action_at = _WINDOW, me.database_now + me.tunables.lease
    _record_permit(me, tx, row, facts)
    try:
        yield from tx.commit()
    except StoreError:
        if not me.mutations.unconfirmed_commit_sends:
            raise
    me.tell(f"got the permit for order {row.name} (attempt {row.attempt})")
    return Permit(row, row.attempt, deadline, latest)


def _claim_row(me: Node, tx: Transaction, seen: OrderRow) -> Steps:
    if me.mutations.bell_without_claim:
        return tx.copy_of(seen.id)
    row = yield from tx.lock_order(seen.id)
    return row if row.status is OrderStatus.APPROVED else None


def _facts(me: Node, row: OrderRow) -> PermitFacts:
    store = me.store
    scopes = read_scopes(me, row.account, row.symbol, row.strategy)
    return PermitFacts(as_time(me.database_now), store.epoch, (store.limits_version,), True, scopes)


def _approval(me: Node, row: OrderRow, facts: PermitFacts) -> ApprovalView:
    expires = None if row.expires_at is None else as_time(row.expires_at)
    epoch = facts.epoch if me.mutations.no_epoch else row.approved_epoch
    reduce_only = row.reduce_only or (me.mutations.flattening_may_open and row.flattens)
    return ApprovalView(expires, epoch, (row.limits_version,), reduce_only, flattens=row.flattens)


def _record_permit(me: Node, tx: Transaction, row: OrderRow, facts: PermitFacts) -> None:
    permit_at, attempt, epoch = me.database_now, row.attempt, row.approved_epoch or 0

    def record() -> None:
        me.store.permits.append(PermitRow(permit_at, me.database_now, row.id, attempt, epoch))

    tx.at_commit.append(record)


def place_order(me: Node, permit: Permit) -> Steps:
    """Prepare, ask the guard at the last moment, write: before that nothing has left, after it anything may have."""
    row = permit.order
    yield None
    if me.network.is_refused():
        yield me.tunables.trip
        return NotSentOutcome("connection refused")
    yield me.tunables.prepare * me.process.kernel.random()
    if not me.mutations.no_permit_deadline and me.database_now > permit.deadline:
        return NotSentOutcome("the permit ran out before the request could be written")
    if me.process.host in me.stop_flags and not row.flattens:
        return NotSentOutcome("a halt was engaged on this host before the request was written")
    stalled = bool(me.process.stall_before_write)
    if stalled:
        me.process.pause(me.process.stall_before_write.pop())
        yield 0.0
    me.tell(f"begins to write order {row.name} (attempt {permit.attempt})")
    me.network.written.append(Written(me.database_now, row.client_order_id, permit.attempt, stalled))
    outcome: PlaceOutcome = yield from me.network.ask(
        me.process,
        "place",
        me.venue.place,
        row.client_order_id,
        row.account,
        row.symbol,
        row.side,
        row.quantity,
        permit.latest,
    )
    me.tell(f"takes the answer about order {row.name} for: {type(outcome).__name__}")
    if me.mutations.not_sent_after_bytes and outcome is TIMED_OUT:
        return NotSentOutcome("time-out")
    return outcome


def lapse_if_void(me: Node, order_id: int) -> Steps:
    row = yield from me.read(order_id)
    facts = _facts(me, row)
    reason = why_void(_approval(me, row, facts), facts)
    if not reason:
        return
    tx = me.begin()
    row = yield from tx.lock_order(order_id)
    if row.status is not OrderStatus.APPROVED:
        tx.abort()
        return
    me.move_order(row, OrderStatus.LAPSED)
    yield from tx.commit()
