"""The reducer of evidence: what one more look at an order changes about what we hold true.

Pure and monotone: filled quantity never shrinks, a final status never loses to an older, weaker one, and the same
reports in any order, with any duplicates, end in the same state. Settlement writes what this module decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from .enums import OrderStatus as S
from .enums import VenueOrderStatus as V
from .order_states import can_move, is_reopening
from .outcomes import OrderReport

_WORD: dict[V, S] = {
    V.OPEN: S.OPEN,
    V.PARTIALLY_FILLED: S.PARTIALLY_FILLED,
    V.FILLED: S.FILLED,
    V.CANCELED: S.CANCELED,
    V.EXPIRED: S.EXPIRED,
    V.REJECTED: S.REJECTED,
}


@dataclass(frozen=True, slots=True)
class OrderView:
    """The part of an order that evidence may change. `quantity` is None for a market order by quote quantity."""

    status: S
    quantity: Decimal | None
    filled_quantity: Decimal


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status` and `venue_filled` as they are after the report. `reopened` and `overfilled` are alarms."""

    status: S
    venue_filled: Decimal
    changed: bool
    reopened: bool = False
    overfilled: bool = False


def status_of(report: OrderReport) -> S:
    """The venue's word, corrected by its own numbers: "open" with fills is partly filled."""
    status = _WORD[report.status]
    if status is S.OPEN and report.filled_quantity > 0:
        return S.PARTIALLY_FILLED
    return status


def weigh(order: OrderView, report: OrderReport, venue_filled: Decimal) -> Verdict:
    """What `order` becomes in the light of `report`; `venue_filled` is the largest filled quantity seen so far."""
    filled = max(venue_filled, report.filled_quantity)
    wanted = status_of(report)
    overfilled = order.quantity is not None and filled > order.quantity
    if wanted is S.OPEN and filled > 0:
        wanted = S.PARTIALLY_FILLED  # an old "open" that arrived late
    if wanted is not order.status and can_move(order.status, wanted):
        return Verdict(wanted, filled, True, is_reopening(order.status, wanted), overfilled)
    return Verdict(order.status, filled, filled != venue_filled, False, overfilled)
