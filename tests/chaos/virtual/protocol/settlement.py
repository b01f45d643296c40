"""[D]: evidence and fills → order and position, and the fills of a whole symbol: `settlement.py`, `fill_intake.py`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from trading.domain.enums import CancelState, HaltScope, OrderStatus, TradingState
from trading.domain.evidence import OrderView, Verdict, weigh
from trading.domain.order_states import AT_RISK, GIVEN_UP, TERMINAL, UNRESOLVED, can_move
from trading.domain.outcomes import FillReport, OrderReport
from trading.domain.steps import waits_for_fills

from ..kernel import Steps, as_time
from ..store import OrderRow, Transaction
from .halts import engage
from .node import Node

AGAIN = 0.3
_CANCELING = (CancelState.REQUESTED, CancelState.SENT, CancelState.IN_DOUBT)


def settle(
    me: Node,
    order_id: int,
    *,
    report: OrderReport | None = None,
    fills: Sequence[FillReport] = (),
    is_halted: bool = False,
) -> Steps:
    """Generator: True if the order is final and fully booked."""
    tx = me.begin()
    row = yield from tx.lock_order(order_id)
    before, announced, alarms = row.status, row.venue_filled, []
    booked = [fill for fill in fills if _book_fill(me, tx, row, fill)]
    if booked:
        _judge_fills(row, before, announced, alarms)
    if report is not None:
        _take_report(me, tx, row, report, alarms)
    elif booked:
        _move_by_fills(me, row)
    complete = row.status in TERMINAL and row.filled >= row.venue_filled
    owes = _owes_halt(me, row, alarms) and not is_halted
    if owes and not me.mutations.halt_after_the_alarm:
        tx.abort()
        yield from _halt_account(me, row, alarms)
        return (yield from settle(me, order_id, report=report, fills=fills, is_halted=True))
    if alarms and me.process.lost_alarms:
        me.process.commit_faults[me.process.commits + 1] = me.process.lost_alarms.pop()
    yield from tx.commit()
    if owes:
        yield from _halt_account(me, row, alarms)
    return complete


def _owes_halt(me: Node, row: OrderRow, alarms: list[str]) -> bool:
    """What raises an alarm halts the account before it is written; a missing state counts as halted."""
    if not alarms or me.mutations.late_evidence_is_silent:
        return False
    scope = (HaltScope.ACCOUNT, row.account)
    return me.store.scopes.get(scope, TradingState.HALTED) is not TradingState.HALTED


def _halt_account(me: Node, row: OrderRow, alarms: list[str]) -> Steps:
    me.tell(f"raises an alarm about order {row.name}: {'; '.join(alarms)}")
    yield from engage(me, (HaltScope.ACCOUNT, row.account), TradingState.HALTED, cancels=False)


def _judge_fills(row: OrderRow, before: OrderStatus, announced: Decimal, alarms: list[str]) -> None:
    if before in TERMINAL and row.filled > announced:
        alarms.append(f"fills arrived for an order that was {before}")
    if row.filled > row.quantity:
        alarms.append(f"the fills add up to {row.filled} of {row.quantity}")


def _book_fill(me: Node, tx: Transaction, row: OrderRow, fill: FillReport) -> bool:
    store = me.store
    is_known = fill.venue_fill_id in store.fills or fill.venue_fill_id in tx.fills
    if is_known and not me.mutations.fills_booked_twice:
        return False
    tx.fills.add(fill.venue_fill_id)

    def book() -> None:
        store.fills[fill.venue_fill_id] = (row.id, fill.quantity)
        store.booked.append(fill.venue_fill_id)
        store.add_to_position(row.account, row.symbol, fill.quantity * row.side.sign)

    tx.at_commit.append(book)
    row.filled += fill.quantity
    row.venue_filled = max(row.venue_filled, row.filled)
    me.tell(f"books {fill.quantity} of order {row.name}")
    return True


def _take_report(me: Node, tx: Transaction, row: OrderRow, report: OrderReport, alarms: list[str]) -> None:
    view = OrderView(row.status, row.quantity, row.filled, seen_at_venue=row.acknowledged_at is not None)
    verdict = weigh(view, report, row.venue_filled)
    row.exchange_order_id = row.exchange_order_id or report.exchange_order_id
    if row.acknowledged_at is None:
        row.acknowledged_at = me.now
    if verdict.venue_filled != row.venue_filled:
        row.venue_filled, row.announced_at = verdict.venue_filled, me.now
    if verdict.overfilled and verdict.changed:
        alarms.append(f"the venue filled {verdict.venue_filled} of {row.quantity}")
    if verdict.reopened:
        alarms.append(f"the venue shows {report.status} for an order that was {row.status}")
    if verdict.status is not row.status and not _held_back(me, tx, row, verdict, alarms):
        _apply_status(me, row, verdict.status)


def _held_back(me: Node, tx: Transaction, row: OrderRow, verdict: Verdict, alarms: list[str]) -> bool:
    missing = verdict.venue_filled - row.filled
    if me.mutations.final_before_fills or verdict.status not in TERMINAL or missing <= 0:
        return False
    since = row.acknowledged_at if me.mutations.fills_lag_from_acknowledgement else row.announced_at
    announced = None if since is None else as_time(since)
    if not waits_for_fills(verdict.status, missing, announced, me.time):
        alarms.append(f"{missing} filled at the venue have no fill record")
        if not me.mutations.missing_fills_are_silent:
            tx.at_commit.append(lambda: me.store.breaks.update({row.id: me.database_now}))
        return False
    if row.status in UNRESOLVED | GIVEN_UP:
        _apply_status(me, row, OrderStatus.PARTIALLY_FILLED if verdict.venue_filled else OrderStatus.OPEN)
    row.next_action_at = me.now + AGAIN
    return True


def _apply_status(me: Node, row: OrderRow, status: OrderStatus) -> None:
    row.doubt_since, row.not_found_at = None, ()
    if status in TERMINAL:
        if row.cancel_state in _CANCELING:
            canceled = status is OrderStatus.CANCELED
            row.cancel_state = CancelState.CONFIRMED if canceled else CancelState.TOO_LATE
    else:
        row.next_action_at = me.now + AGAIN
    me.move_order(row, status)


def _move_by_fills(me: Node, row: OrderRow) -> None:
    if row.filled >= row.quantity and can_move(row.status, OrderStatus.FILLED):
        _apply_status(me, row, OrderStatus.FILLED)
    elif row.status is not OrderStatus.SUBMITTING and can_move(row.status, OrderStatus.PARTIALLY_FILLED):
        _apply_status(me, row, OrderStatus.PARTIALLY_FILLED)


def collect_fills(me: Node, account: str, symbol: str) -> Steps:
    """Ask for every fill of the symbol and book what is new. False: the question was not answered."""
    fills: Any = yield from me.network.ask(me.process, "read", me.venue.fills, account, symbol)
    if not isinstance(fills, list):
        return False
    new: dict[str, list[FillReport]] = {}
    for fill in fills:
        if fill.venue_fill_id not in me.store.fills or me.mutations.fills_booked_twice:
            new.setdefault(fill.client_order_id, []).append(fill)
    for client_id, of_order in new.items():
        order_id = find_order(me, client_id)
        if order_id is not None and not (yield from settle(me, order_id, fills=of_order)):
            yield from wake(me, order_id, AT_RISK)
    return True


def find_order(me: Node, client_id: str) -> int | None:
    return next((row.id for row in me.store.orders.values() if row.client_order_id == client_id), None)


def wake(me: Node, order_id: int, statuses: frozenset[OrderStatus]) -> Steps:
    """UPDATE … SET next_action_at = now WHERE status IN …"""
    tx = me.begin(is_bare=True)
    row = yield from tx.lock_order(order_id)
    if row.status in statuses:
        row.next_action_at = me.now
    yield from tx.commit()
