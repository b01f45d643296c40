"""Engage with flag, lock, epoch and drain; release against the epoch its operator saw: `execution/halts.py`."""

from __future__ import annotations

from collections.abc import Callable

from trading.domain.enums import HaltScope, OrderStatus, TradingState
from trading.execution.dispatch_limits import PERMIT_SECONDS

from ..kernel import LockTimeout, Steps
from ..store import HaltChangeRow, ScopeKey, SweepRow, Transaction
from .node import Engaged, Node

LOCK_SECONDS = 2.0
ROW_WAIT_SECONDS = 10.0
_NAP = 0.02


def engage(
    me: Node,
    scope: ScopeKey,
    state: TradingState,
    on_commit: Callable[[Engaged], None] | None = None,
    *,
    cancels: bool = True,
) -> Steps:
    """`cancels` False leaves open orders alone: a halt that settlement engages by itself."""
    if scope[0] == HaltScope.EVERYTHING and state is TradingState.HALTED:
        me.stop_flags.add(me.process.host)
    entry, give_up_at = Engaged(scope, state, 0, 0.0), me.now + ROW_WAIT_SECONDS
    sweep = (
        SweepRow(me.store.new_id(), scope, 0, me.now) if cancels and state is TradingState.HALTED else None
    )
    while True:
        try:
            granted = yield from _commit_engagement(me, entry, sweep, on_commit)
            break
        except LockTimeout:
            if me.now > give_up_at:
                raise
    if granted is None:
        me.tell(f"is refused {state} for {scope[0]} {scope[1]}")
        return
    if not me.mutations.no_drain:
        yield from _drain(me, entry.committed_at, lock_granted=granted)
    if sweep is not None:
        sweep.drained_at = me.now
    yield None
    entry.returned_at = me.database_now
    me.tell(f"has the answer to its engagement (epoch {entry.epoch})")


def _commit_engagement(
    me: Node, entry: Engaged, sweep: SweepRow | None, on_commit: Callable[[Engaged], None] | None
) -> Steps:
    """Whether the halt lock was granted; None if the engagement is refused. A row that a stopped process holds is lost
    by it when the server ends its idle transaction: LockTimeout, and it is tried again."""
    scope, state = entry.scope, entry.state
    tx = me.begin()
    granted = yield from tx.take("halts", timeout=LOCK_SECONDS)
    if not _has_state(me, scope) or _would_loosen(me, scope, state):
        tx.abort()
        return None
    yield from _write_change(me, tx, scope, state)

    def record() -> None:
        me.store.epoch += 1
        entry.epoch, entry.committed_at = me.store.epoch, me.database_now
        me.store.halt_changes.append(HaltChangeRow(me.database_now, scope, state, entry.epoch))
        me.engaged.append(entry)
        if on_commit is not None:
            on_commit(entry)
        me.tell(f"commits {state} for {scope[0]} {scope[1]} (epoch {entry.epoch})")
        if sweep is not None:
            sweep.epoch = entry.epoch
            me.store.sweeps[sweep.id] = sweep

    tx.at_commit.append(record)
    yield from tx.commit()
    return granted


def _has_state(me: Node, scope: ScopeKey) -> bool:
    """A narrow scope without a state is one that nobody knows; the widest always exists."""
    return scope in me.store.scopes or scope[0] == HaltScope.EVERYTHING


def _would_loosen(me: Node, scope: ScopeKey, state: TradingState) -> bool:
    """From halted to reducing is a release in part, which engaging does not ask for."""
    return state.restriction < me.store.scopes.get(scope, TradingState.HALTED).restriction


def _write_change(me: Node, tx: Transaction, scope: ScopeKey, state: TradingState) -> Steps:
    """The rows of the epoch and of the scope, each locked by its UPDATE until the commit."""
    for key in ("epoch", ("scope", scope)):
        if not (yield from tx.take(key)):
            tx.abort()
            raise LockTimeout("lock time-out")
    tx.at_commit.append(lambda: me.store.scopes.update({scope: state}))


def _drain(me: Node, committed: float, *, lock_granted: bool) -> Steps:
    end = committed + PERMIT_SECONDS + _NAP
    while me.database_now < end:
        yield None
        if lock_granted and not _young_permits(me):
            break
        yield _NAP


def _young_permits(me: Node) -> bool:
    young = me.database_now - PERMIT_SECONDS
    return any(
        row.status is OrderStatus.SUBMITTING and row.permit_at is not None and row.permit_at > young
        for row in me.store.orders.values()
    )


def release(me: Node, scope: ScopeKey, seen_epoch: int) -> Steps:
    """Against the epoch its operator saw. Whatever engaged since then wins."""
    tx = me.begin()
    granted = yield from tx.take("halts", timeout=LOCK_SECONDS)
    careless = me.mutations.release_overwrites_a_newer_halt
    yield from tx.statement()
    if (not granted and not careless) or seen_epoch != me.store.epoch:
        tx.abort()
        me.tell("is refused the release")
        return
    yield from tx.statement()
    if not _has_state(me, scope):
        tx.abort()
        return
    if not (yield from tx.take(("scope", scope))) or (not careless and seen_epoch != me.store.epoch):
        tx.abort()
        return

    def record() -> None:
        me.store.scopes[scope] = TradingState.ACTIVE
        change = HaltChangeRow(me.database_now, scope, TradingState.ACTIVE, me.store.epoch, seen_epoch)
        me.store.halt_changes.append(change)
        me.tell(f"commits the release of {scope[0]} {scope[1]}")

    tx.at_commit.append(record)
    yield from tx.commit()
    if scope[0] == HaltScope.EVERYTHING:
        me.stop_flags.discard(me.process.host)
