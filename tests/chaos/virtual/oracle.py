"""The judge: reads the venue's journal, what left towards it, and the final store; never what a process believed.

The store's own history (moves, permits, halt changes) is its audit trail, which commits with what it tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from trading.domain.doubt import PROCESSING_BOUND
from trading.domain.enums import HaltScope, OrderStatus, Side, TradingState
from trading.domain.order_states import TERMINAL, can_move
from trading.domain.steps import FILLS_LAG
from trading.execution.dispatch_limits import LAST_ACCEPTANCE

from .protocol.approval import scope_names
from .protocol.sweep import is_in_scope
from .scenario import LIMIT
from .store import HaltChangeRow, Move, OrderRow, ScopeKey, SweepRow
from .venue import FINAL, VenueOrder
from .world import World

_NEVER_ALIVE = (OrderStatus.DENIED, OrderStatus.LAPSED, OrderStatus.REJECTED, OrderStatus.NOT_ACCEPTED)
_BOUND = LAST_ACCEPTANCE.total_seconds()
_PROCESSING = PROCESSING_BOUND.total_seconds()
_FILLS_LAG = FILLS_LAG.total_seconds() - 0.5  # clocks of one installation differ by as much


@dataclass(frozen=True, slots=True)
class Violation:
    promise: str
    what: str


def judge(world: World) -> list[Violation]:
    rows = {row.client_order_id: row for row in world.store.orders.values()}
    return [Violation(promise, what) for check in _CHECKS for promise, what in check(world, rows)]


Found = Iterator[tuple[str, str]]
Rows = dict[str, OrderRow]


def _once(world: World, rows: Rows) -> Found:
    for name, count in Counter(name for _at, name in world.venue.accepted).items():
        if count > 1:
            yield "O1", f"order {rows[name].name} was accepted {count} times"
    for name, count in Counter(written.client_order_id for written in world.network.written).items():
        if count > 1:
            yield "O1", f"order {rows[name].name} was sent {count} times after bytes may have left"


def _known(world: World, rows: Rows) -> Found:
    permits = {(permit.order_id, permit.attempt): permit for permit in world.store.permits}
    for written in world.network.written:
        row = rows[written.client_order_id]
        permit = permits.get((row.id, written.attempt))
        if permit is None or permit.committed_at > written.at:
            yield "O2", f"order {row.name} left without a durable permit for attempt {written.attempt}"
    yield from _taken_away(world, rows)
    for at, name in world.venue.cancels:
        asked = world.store.cancel_requests.get(rows[name].id)
        if asked is None or asked > at:
            yield "O2", f"a cancel of order {rows[name].name} reached the venue that nobody had asked for"


def _taken_away(world: World, rows: Rows) -> Found:
    """A drain relies on `submitting`: nothing may leave once the order is held for in doubt."""
    lost = {
        move.order_id: move.at for move in reversed(world.store.moves) if move.after is OrderStatus.IN_DOUBT
    }
    for written in world.network.written:
        row = rows[written.client_order_id]
        if not written.was_stalled and lost.get(row.id, written.at) < written.at:
            yield "O2", f"order {row.name} left after its permit had been taken away"


def _evidence(world: World, rows: Rows) -> Found:
    by_id = {row.id: row for row in rows.values()}
    for move in world.store.moves:
        row = by_id[move.order_id]
        order = world.find_venue_order(row.client_order_id)
        by_word = world.store.words.get(row.id) == move.at and move.before is OrderStatus.QUARANTINED
        if move.before is not None and not can_move(move.before, move.after):
            yield "O3", f"order {row.name} went from {move.before} to {move.after}, which the table forbids"
        if move.after in _NEVER_ALIVE and order is not None and not by_word:
            yield "O3", f"order {row.name} was held for {move.after}, and the venue accepted it"
        elif by_word or _is_a_noted_gap(world, move, order):
            continue
        elif move.after in TERMINAL and order is not None and move.filled != order.filled:
            yield (
                "O3",
                f"order {row.name} was final with {move.filled} of {order.filled} filled: an exposure gap",
            )


def _is_a_noted_gap(world: World, move: Move, order: VenueOrder | None) -> bool:
    """The venue hid fills for longer than it may: then a break was noted in the same commit."""
    if order is None or world.store.breaks.get(move.order_id) != move.at:
        return False
    return any(at <= move.at - _FILLS_LAG for at, _fill in order.fills)


def _person(world: World, rows: Rows) -> Found:
    """A word is believed only where the venue shows nothing; a wrong one, and a gap of fills, halt the account."""
    by_id = {row.id: row for row in rows.values()}
    lag = world.venue.read_lag + world.network.longest_question
    for order_id, at in world.store.words.items():
        row = by_id[order_id]
        order = world.find_venue_order(row.client_order_id)
        if order is None:
            continue
        if order.accepted_at < at - lag and world.network.is_healthy(at - lag, at):
            yield "O3", f"a person's word ended order {row.name} though the venue showed it"
        if row.status is not OrderStatus.NOT_ACCEPTED and not _was_halted(world, row, _reopened(world, row)):
            yield "O3", f"order {row.name} was found alive after a wrong word, and its account was not halted"
    for order_id, at in world.store.breaks.items():
        if not _was_halted(world, by_id[order_id], at):
            yield "O3", f"fills of order {by_id[order_id].name} are missing, and its account was not halted"
    yield from _silent_gaps(world, by_id)


def _silent_gaps(world: World, by_id: dict[int, OrderRow]) -> Found:
    for move in world.store.moves:
        order = world.find_venue_order(by_id[move.order_id].client_order_id)
        if order is None or move.after not in TERMINAL or move.filled == order.filled:
            continue
        if move.order_id not in world.store.breaks and move.order_id not in world.store.words:
            yield "O3", f"order {by_id[move.order_id].name} ended short of its fills, and no break was noted"


def _was_halted(world: World, row: OrderRow, since: float) -> bool:
    """A change at the very instant counts for both sides of it."""
    scope = (HaltScope.ACCOUNT, row.account)
    changes = [change for change in world.store.halt_changes if change.scope == scope]
    before = [change.state for change in changes if change.at <= since][-1:]
    after = [change.state for change in changes if change.at >= since]
    return TradingState.HALTED in before + after


def _reopened(world: World, row: OrderRow) -> float:
    """The last instant at which it was brought back."""
    moves = [move for move in world.store.moves if move.order_id == row.id]
    return max((move.at for move in moves if move.before is OrderStatus.NOT_ACCEPTED), default=0.0)


def _exposure(world: World, rows: Rows) -> Found:
    """After a wrong word, or with fills that the venue hides, the books may allow too much: a halt is the answer."""
    if world.store.words or world.store.breaks:
        return
    for at, name in world.venue.accepted:
        row = rows[name]
        held = world.held_at_venue(row.account, at)
        most = _worst(held)
        if most > LIMIT and most > _worst(world.held_at_venue(row.account, at, but=name)):
            yield "O3", f"with order {row.name} the venue held {most}, above the limit of {LIMIT}"
        if row.reduce_only and held[row.symbol][0] < 0:
            yield "K7", f"the reduce-only order {row.name} may turn the position to {held[row.symbol][0]}"


def _worst(held: dict[str, tuple[Decimal, Decimal]]) -> Decimal:
    return sum((max(abs(least), abs(most)) for least, most in held.values()), Decimal(0))


def _reduces(world: World, _rows: Rows) -> Found:
    """What can only shrink a position passes while no scope of it was ever halted; flattening passes a halt too."""
    for move in world.store.moves:
        row = world.store.orders[move.order_id]
        if move.after is not OrderStatus.DENIED or not row.reduce_only:
            continue
        scopes = scope_names(row.account, row.symbol, row.strategy)
        halted = any(
            change.scope in scopes and change.state is TradingState.HALTED
            for change in world.store.halt_changes
        )
        plans = [p for p in world.scenario.orders if (p.account, p.symbol) == (row.account, row.symbol)]
        held = sum(plan.quantity for plan in plans if plan.held)
        wanted = sum(plan.quantity for plan in plans if plan.side is Side.SELL)
        missing = [event.scope for event in world.scenario.events if event.kind == "missing scope"]
        known = not any(scope in missing for scope in scopes)
        passes = row.flattens or not halted
        if row.side is Side.SELL and known and passes and wanted <= held:
            yield "K7", f"order {row.name} only makes the position smaller, and was denied"


def _books(world: World, _rows: Rows) -> Found:
    for fill_id, count in Counter(world.store.booked).items():
        if count > 1:
            yield "O4", f"fill {fill_id} was booked {count} times"
    totals: dict[tuple[str, str], Decimal] = {}
    for order in world.venue.orders:
        key = (order.account, order.symbol)
        totals[key] = totals.get(key, Decimal(0)) + order.filled * order.side.sign
    for key in {**totals, **world.store.positions}:
        ours, theirs = world.store.positions.get(key, Decimal(0)), totals.get(key, Decimal(0))
        if ours != theirs:
            yield "O4", f"the position in {key[1]} is {ours}, the venue's fills add up to {theirs}"


def _truth(world: World, rows: Rows) -> Found:
    for row in rows.values():
        difference = world.disagreement(row)
        if difference:
            yield ("K7" if "cancel was asked" in difference else "O5"), difference
    for plan in world.scenario.orders:
        if plan.name not in world.store.signals:
            yield "O5", f"order {plan.name} was lost on the way in"


def _halts(world: World, rows: Rows) -> Found:
    """K1 and K4 by what began to leave; a process stopped between check and write is K2's business."""
    for written in world.network.written:
        row = rows[written.client_order_id]
        for engaged in world.engaged:
            returned = engaged.returned_at
            if returned is None or written.at <= returned or (row.approved_epoch or 0) >= engaged.epoch:
                continue
            if not written.was_stalled:
                after = _is_active(world, engaged.scope, written.at)
                yield (
                    (
                        "K4",
                        f"order {row.name}, approved before the halt of epoch {engaged.epoch}, left after its release",
                    )
                    if after
                    else (
                        "K1",
                        f"order {row.name} began to leave after engage had returned (epoch {engaged.epoch})",
                    )
                )
    for permit in world.store.permits:
        row = world.store.orders[permit.order_id]
        for scope in scope_names(row.account, row.symbol, row.strategy):
            if permit.at < 0:
                continue
            if scope not in world.store.scopes:
                yield "K6", f"order {row.name} got a permit though {scope[0]} {scope[1]} has no halt state"
            change = _newest_change(world, scope, permit.at)
            if change is None or change.state is TradingState.ACTIVE or permit.epoch < change.epoch:
                continue
            if not row.reduce_only or (change.state is TradingState.HALTED and not row.flattens):
                yield (
                    "K1",
                    f"order {row.name} was approved and permitted while {scope[0]} {scope[1]} was halted",
                )


def _newest_change(world: World, scope: ScopeKey, at: float) -> HaltChangeRow | None:
    changes = [change for change in world.store.halt_changes if change.scope == scope and change.at < at]
    return changes[-1] if changes else None


def _is_active(world: World, scope: ScopeKey, at: float) -> bool:
    change = _newest_change(world, scope, at)
    return change is None or change.state is TradingState.ACTIVE


def _late(world: World, rows: Rows) -> Found:
    for at, name in world.venue.accepted:
        row = rows[name]
        for engaged in world.engaged:
            if (row.approved_epoch or 0) < engaged.epoch and at > engaged.committed_at + _BOUND:
                late = at - engaged.committed_at
                yield (
                    "K2",
                    f"order {row.name} was accepted {late:.1f} s after the halt of epoch {engaged.epoch}",
                )
        if row.permit_at is not None and at > row.permit_at + row.window + _PROCESSING:
            yield "K2", f"order {row.name} was accepted {at - row.permit_at:.1f} s after its permit"


def _sweeps(world: World, rows: Rows) -> Found:
    for sweep in world.store.sweeps.values():
        if sweep.verdict == "running":
            yield "K3", f"the sweep of epoch {sweep.epoch} did not end though all was calm"
        elif sweep.verdict == "clean":
            for order in world.venue.orders:
                what = _survives(sweep, rows[order.client_order_id], order)
                if what:
                    yield "K3", f"CLEAN was claimed (epoch {sweep.epoch}) while order {what}"


def _survives(sweep: SweepRow, row: OrderRow, order: VenueOrder) -> str:
    at = sweep.finished_at or 0.0
    if not is_in_scope(row, sweep.scope) or (row.approved_epoch or 0) >= sweep.epoch:
        return ""
    if order.accepted_at > at:
        return f"{row.name} could still be accepted, and was"
    seen = order.seen_at(at)
    return f"{row.name} was open" if seen is not None and seen[0] not in FINAL else ""


def _latched(world: World, _rows: Rows) -> Found:
    newest: dict[ScopeKey, HaltChangeRow] = {}
    for change in world.store.halt_changes:
        halt = newest.get(change.scope)
        if change.seen_epoch is not None and halt is not None and change.seen_epoch < halt.epoch:
            yield (
                "K6",
                f"a release that had seen epoch {change.seen_epoch} undid the halt of epoch {halt.epoch}",
            )
        if change.seen_epoch is None:
            newest[change.scope] = change


_CHECKS = (
    *(_once, _known, _evidence, _person, _exposure, _reduces, _books, _truth, _halts, _late, _sweeps),
    _latched,
)
