"""Closing a break by a person's word: the only way our books are moved without a fill or a transfer behind it.

A balance gets an adjusting movement of exactly the difference that was seen; a position is made the sum of its fills
again; an order that the venue does not have is canceled in our books; anything else is accepted as it is. Each with a
reason, in production with a second person, and never for other numbers than those that were shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from trading.domain.actors import Actor
from trading.domain.enums import ApprovalKind, OrderStatus
from trading.domain.errors import InvalidInput, NotAllowed, StaleDecision
from trading.domain.money import ZERO, add, exact, plain
from trading.domain.order_states import WORKING
from trading.locking import lock_account, lock_orders
from trading.models import ApprovalRequest, Break, BreakKind, BreakResolution, BreakState, MovementKind

from .authority import demand_fresh_factor, use_approval
from .balances import lock_or_make_balances, set_parts, write_balances
from .breaks import close_break, get_break
from .changes import move_order
from .ledger import write_movements
from .rebuilding import rebuild_position
from .transfers import make_movement, record_movement

MAX_REASON = 300


def adjustment_payload(row: Break) -> dict[str, Any]:
    """What a second person is shown, and what is done: this break with these numbers."""
    return {
        "break": str(row.id),
        "account": row.account.name,
        "kind": row.kind,
        "subject": row.subject,
        "ours": None if row.ours is None else plain(row.ours),
        "theirs": None if row.theirs is None else plain(row.theirs),
    }


def describe_adjustment(row: Break) -> str:
    return (
        f"adjust {row.kind} {row.subject} on {row.account.name}: "
        f"ours {plain(row.ours) or 'unknown'}, the venue's {plain(row.theirs) or 'unknown'}"
    )


def check_adjustment(payload: Mapping[str, Any]) -> None:
    """What would refuse it now."""
    row = get_break(str(payload["break"]))
    if row.state == BreakState.RESOLVED:
        raise NotAllowed(
            "This break is resolved already.", remedy="Nothing is left to do.", code="break_is_resolved"
        )
    if adjustment_payload(row) != dict(payload):
        raise StaleDecision("The numbers have changed since they were shown.", remedy="Look again.")


def adjust_break(
    break_id: UUID | str,
    *,
    payload: Mapping[str, Any],
    reason: str,
    actor: Actor,
    approval: ApprovalRequest | None = None,
) -> Break:
    """Close the break as its kind allows. Raises NotAllowed, StaleDecision."""
    reason = reason.strip()[:MAX_REASON]
    if not reason:
        raise InvalidInput("An adjustment needs a reason.", remedy="Say why, in a sentence.", field="reason")
    if approval is None:  # its author proved the factor when asking
        demand_fresh_factor(actor, "an adjustment of the books")
    with transaction.atomic(durable=True):
        row = get_break(break_id)
        lock_account(row.account_id)
        check_adjustment(payload)
        use_approval(ApprovalKind.ADJUSTMENT, payload, approval)
        resolution = BreakResolution.ADJUSTED
        if row.kind == BreakKind.BALANCE:
            _adjust_balance(row, reason, actor)
        elif row.kind == BreakKind.POSITION:
            rebuild_position(row.account, row.symbol, reason=reason, actor=actor)
        elif row.kind != BreakKind.ORDER or not _end_order(row, reason, actor):
            resolution = BreakResolution.ACCEPTED
        close_break(row, resolution, actor=actor, reason=reason)
    return get_break(break_id)


def _adjust_balance(row: Break, reason: str, actor: Actor) -> None:
    balance = lock_or_make_balances(row.account_id, {row.subject})[row.subject]
    difference = add(row.theirs or ZERO, -(row.ours or ZERO))
    if balance.drift != difference:
        raise StaleDecision(
            f"The difference is {plain(balance.drift)} by now, not {plain(difference)}.", remedy="Look again."
        )
    movement = make_movement(
        row.account, MovementKind.ADJUSTMENT, row.subject, difference, str(row.id), row.last_seen_at
    )
    write_movements([movement])
    balance.booked, balance.drift = add(balance.booked, difference), ZERO
    set_parts(balance, balance.locked)
    write_balances([balance])
    record_movement(row.account, movement, actor=actor, reason=reason)


def _end_order(row: Break, reason: str, actor: Actor) -> bool:
    """An order that works by our books and that the venue does not have: over, with what is filled of it."""
    if row.theirs != 0:
        return False
    for order in lock_orders([UUID(row.detail["order"])]):
        if order.status in WORKING:
            move_order(order, OrderStatus.CANCELED, actor=actor, reason=reason)
            return True
    return False


def parse_numbers(row: Break, ours: str | None, theirs: str | None) -> None:
    """For callers that say which numbers they saw: refuse any others."""
    for name, said, stored in (("ours", ours, row.ours), ("theirs", theirs, row.theirs)):
        if said is not None and stored is not None and exact(said, field=name) != stored:
            raise StaleDecision(f"{name} is {plain(stored)} by now, not {said}.", remedy="Look again.")
