"""Stage 4: evidence and fills → order, position, balances: transaction [D].

Fills are booked by `booking`, exactly once and in any order of arrival, in the commit that moves their orders. A final
status is held back until the fills that explain it are booked, so that exposure never disappears between the venue's
"filled" and our position; only after a minute without them is it taken over, with a break record and an alarm.

What raises an alarm halts the account *before* it is written: a process that dies in between leaves a halt, never an
alarm without one, and whoever looks next finds the same evidence again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from trading import audit
from trading.domain.enums import CancelState, HaltScope, OrderStatus, TradingState
from trading.domain.evidence import OrderView, Verdict, weigh
from trading.domain.money import plain
from trading.domain.order_states import GIVEN_UP, TERMINAL, UNRESOLVED, can_move
from trading.domain.outcomes import FillReport, OrderReport
from trading.domain.steps import waits_for_fills
from trading.doorbell import ring
from trading.failpoints import failpoint
from trading.locking import lock_orders
from trading.metrics import ORDER_LATENCY
from trading.models import BreakKind, HaltState, Order
from trading.queries.valuation import PriceTable

from .booking import ACTOR, Booked, book_fills
from .breaks import note_break
from .changes import add_evidence, move_order, order_data, put_status, set_fields, write_by_fills
from .halts import engage


@dataclass(frozen=True, slots=True)
class Settled:
    """`is_complete`: the order is final and every fill of it is booked. `alarms` are sentences for an operator."""

    status: OrderStatus
    fills_booked: int
    is_complete: bool
    alarms: tuple[str, ...] = ()


class HaltOwed(Exception):
    """What was seen is an alarm, and the account is not halted yet."""

    def __init__(self, order: Order, alarms: Sequence[str]) -> None:
        super().__init__("; ".join(alarms))
        self.order, self.alarms = order, alarms


def settle(
    order_id: UUID, *, report: OrderReport | None = None, fills: Sequence[FillReport] = (), source: str
) -> Settled:
    """Book what the venue says about one order. Safe to call with anything old, doubled or out of order."""
    return _settle_halted({order_id: fills}, report, source)[order_id]


def settle_fills(fills: Mapping[UUID, Sequence[FillReport]], *, source: str) -> dict[UUID, Settled]:
    """Book the fills of several orders of one account in one commit."""
    return _settle_halted(fills, None, source)


def _settle_halted(
    fills: Mapping[UUID, Sequence[FillReport]], report: OrderReport | None, source: str
) -> dict[UUID, Settled]:
    try:
        return _settle(fills, report, source, is_halted=False)
    except HaltOwed as owed:
        _halt_account(owed.order, owed.alarms)
        return _settle(fills, report, source, is_halted=True)


def _settle(
    fills: Mapping[UUID, Sequence[FillReport]],
    report: OrderReport | None,
    source: str,
    *,
    is_halted: bool,
) -> dict[UUID, Settled]:
    """One attempt. Raises HaltOwed, with nothing written, for an alarm about an account that is not halted."""
    settled: dict[UUID, Settled] = {}
    with transaction.atomic(durable=True):
        orders = lock_orders(fills)
        if len(orders) != len(fills):
            raise Order.DoesNotExist
        before = {order.id: (OrderStatus(order.status), order.venue_filled_quantity) for order in orders}
        booked = book_fills([(order, fills[order.id]) for order in orders])
        _write_booked(orders, booked, moves=report is None)
        for order in orders:
            one = _conclude(order, *before[order.id], booked.counts.get(order.id, 0), report, source)
            settled[order.id] = one
            if one.alarms:
                if not is_halted and _may_open(order.account.name):
                    raise HaltOwed(order, one.alarms)
                _alarm(order, one.alarms)
        if booked.counts:
            ring("sync_account", orders[0].account_id)
        failpoint("settlement.before_commit")
    failpoint("settlement.after_commit")
    for order in orders:
        if before[order.id][0] not in TERMINAL and settled[order.id].is_complete:
            ORDER_LATENCY.labels("total").observe((timezone.now() - order.created_at).total_seconds())
    return settled


def _write_booked(orders: Sequence[Order], booked: Booked, *, moves: bool) -> None:
    """The orders' new sums, where fills are the only news also what they make of the status, and the audit trail of
    both: two statements, however many orders."""
    touched = [order for order in orders if order.id in booked.counts]
    if not touched:
        return
    moved = [fact for order in touched if (fact := _move_by_fills(order))] if moves else []
    write_by_fills(touched)
    audit.record_many([*booked.facts, *moved], actor=ACTOR, object_type="order")
    audit.record_many(booked.reordered, actor=ACTOR, object_type="account")


def _conclude(
    order: Order,
    before: OrderStatus,
    announced: Decimal,
    booked: int,
    report: OrderReport | None,
    source: str,
) -> Settled:
    """What the booked fills and the report make of the order."""
    alarms: list[str] = []
    if booked:
        _judge_fills(order, before, announced, alarms)
    if report is not None:
        _take_report(order, report, source, alarms)
    complete = order.status in TERMINAL and order.filled_quantity >= order.venue_filled_quantity
    return Settled(OrderStatus(order.status), booked, complete, tuple(alarms))


def _judge_fills(order: Order, before: OrderStatus, announced: Decimal, alarms: list[str]) -> None:
    """Fills that the venue had not announced before the order ended, or that go beyond it, are alarms."""
    if before in TERMINAL and order.filled_quantity > announced:
        alarms.append(f"fills arrived for an order that was {before}")
    if order.quantity is not None and order.filled_quantity > order.quantity:
        alarms.append(f"the fills add up to {plain(order.filled_quantity)} of {plain(order.quantity)}")


def _take_report(order: Order, report: OrderReport, source: str, alarms: list[str]) -> None:
    seen = order.acknowledged_at is not None
    view = OrderView(OrderStatus(order.status), order.quantity, order.filled_quantity, seen_at_venue=seen)
    verdict = weigh(view, report, order.venue_filled_quantity)
    learned = _learned(order, report)
    if verdict.changed or learned:
        why: dict[str, Any] = {"reason": report.reason} if report.reason else {}
        add_evidence(
            order,
            source,
            "report",
            status=report.status,
            filled=report.filled_quantity,
            id=report.exchange_order_id,
            **why,
        )
    if verdict.venue_filled != order.venue_filled_quantity:
        learned["venue_filled_quantity"] = verdict.venue_filled
    if learned:
        set_fields(order, **learned)
    if verdict.overfilled and verdict.changed:
        alarms.append(f"the venue filled {plain(verdict.venue_filled)} of {plain(order.quantity)}")
    if verdict.reopened:
        alarms.append(f"the venue shows {report.status} for an order that was {order.status}")
    if verdict.status != order.status and not _held_back(order, verdict, alarms):
        _apply_status(order, verdict.status, report.reason)


def _learned(order: Order, report: OrderReport) -> dict[str, object]:
    """Fields that any sight of the order fills in."""
    learned: dict[str, object] = {}
    if report.exchange_order_id and not order.exchange_order_id:
        learned["exchange_order_id"] = report.exchange_order_id
    if order.acknowledged_at is None:
        learned["acknowledged_at"] = timezone.now()
    return learned


def _held_back(order: Order, verdict: Verdict, alarms: list[str]) -> bool:
    """A final status waits for the fills that explain it."""
    missing: Decimal = verdict.venue_filled - order.filled_quantity
    if verdict.status not in TERMINAL or missing <= 0:
        return False
    now = timezone.now()
    if waits_for_fills(verdict.status, missing, _announced_at(order, verdict.venue_filled), now):
        if order.status in UNRESOLVED | GIVEN_UP:  # it is there, so it counts
            _apply_status(order, OrderStatus.PARTIALLY_FILLED if verdict.venue_filled else OrderStatus.OPEN)
        set_fields(order, next_action_at=now + timedelta(milliseconds=300))
        return True
    alarms.append(f"{plain(missing)} filled at the venue have no fill record")
    note_missing_fills(order)
    return False


def _announced_at(order: Order, filled: Decimal) -> datetime | None:
    """When the venue first showed that much as filled; the order may have rested for hours before that."""
    looks = order.evidence.filter(detail__filled=plain(filled)).order_by("at")
    return looks.values_list("at", flat=True).first()


def note_missing_fills(order: Order) -> None:
    """The break of an order that ended without the fills that explain its end."""
    missing = order.venue_filled_quantity - order.filled_quantity
    note_break(
        order.account,
        BreakKind.FILL,
        order.client_order_id,
        ours=order.filled_quantity,
        theirs=order.venue_filled_quantity,
        value=PriceTable(order.account).worth(order.instrument.symbol, missing),
        symbol=order.instrument.symbol,
        order=str(order.id),
    )


def _apply_status(order: Order, status: OrderStatus, reason: str = "") -> None:
    move_order(order, status, actor=ACTOR, reason=reason, **_beside(order, status))


def _beside(order: Order, status: OrderStatus) -> dict[str, Any]:
    """What changes with the status."""
    fields: dict[str, Any] = {"doubt_since": None, "not_found_at": []}
    if status in TERMINAL:
        if order.cancel_state in (CancelState.REQUESTED, CancelState.SENT, CancelState.IN_DOUBT):
            canceled = status is OrderStatus.CANCELED
            fields["cancel_state"] = CancelState.CONFIRMED if canceled else CancelState.TOO_LATE
    else:
        fields["next_action_at"] = timezone.now() + timedelta(milliseconds=300)
    return fields


def _move_by_fills(order: Order) -> audit.Fact | None:
    """Fills without a report are evidence too: all of the quantity is filled, a part of it partly filled.

    An order that is being submitted waits for the outcome of its request. In memory only.
    """
    complete = order.quantity is not None and order.filled_quantity >= order.quantity
    before = OrderStatus(order.status)
    if complete and can_move(before, OrderStatus.FILLED):
        status = OrderStatus.FILLED
    elif before is not OrderStatus.SUBMITTING and can_move(before, OrderStatus.PARTIALLY_FILLED):
        status = OrderStatus.PARTIALLY_FILLED
    else:
        return None
    return put_status(order, status, **_beside(order, status))[1]


def _alarm(order: Order, alarms: Sequence[str]) -> None:
    audit.record(
        "alarm.order",
        actor=ACTOR,
        object_type="order",
        object_id=order.id,
        data={
            "client_order_id": order.client_order_id,
            "alarms": list(alarms),
            "state": order_data(order)["status"],
        },
    )


def _may_open(account: str) -> bool:
    """A missing state counts as halted."""
    halted = HaltState.objects.filter(scope=HaltScope.ACCOUNT, target=account)
    return halted.exclude(state=TradingState.HALTED).exists()


def _halt_account(order: Order, alarms: Sequence[str]) -> None:
    """Money moved in a way we had ruled out: nothing new on this account until a person has looked."""
    engage(
        HaltScope.ACCOUNT,
        order.account.name,
        reason=f"order {order.client_order_id}: {'; '.join(alarms)}"[:300],
        actor=ACTOR,
        trigger="late_evidence",
        cancel=None,
    )
