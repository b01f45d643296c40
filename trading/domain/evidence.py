"""The reducer of evidence: what one more look at an order changes about what we hold true.

Pure and monotone: filled quantity never shrinks, a final status never loses to an older, weaker one, and the same
reports in any order, with any duplicates, end in the same state. Two words for one end (canceled and expired, rejected
and not accepted) are the same state here: the word that came first stays. Settlement writes what this module decides.
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
_WITH_FILLS: dict[S, S] = {S.OPEN: S.PARTIALLY_FILLED, S.REJECTED: S.CANCELED}
_NEVER_ALIVE = frozenset({S.REJECTED, S.NOT_ACCEPTED})


@dataclass(frozen=True, slots=True)
class OrderView:
    """The part of an order that evidence may change. `quantity` is None for a market order by quote quantity.

    `seen_at_venue`: the venue has already shown or acknowledged the order (its exchange order id is known). It tells a
    rejection that the venue reported, after which an "open" is only an older look, from a refusal of our request, after
    which an "open" is news. Not knowing it errs to the alarm.
    """

    status: S
    quantity: Decimal | None
    filled_quantity: Decimal
    seen_at_venue: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """`status` and `venue_filled` as they are after the report. `reopened` and `overfilled` are alarms."""

    status: S
    venue_filled: Decimal
    changed: bool
    reopened: bool = False
    overfilled: bool = False


def status_of(report: OrderReport) -> S:
    """The venue's word, corrected by its own numbers: "open" with fills is partly filled, "rejected" is canceled."""
    status = _WORD[report.status]
    return _WITH_FILLS.get(status, status) if report.filled_quantity > 0 else status


def _is_stale(order: OrderView, wanted: S, filled: Decimal) -> bool:
    """True for a word that the table allows, but that stronger evidence has already overtaken."""
    if wanted is S.REJECTED:
        return filled > 0  # what was filled in part was accepted
    return wanted is S.OPEN and order.seen_at_venue and order.status in _NEVER_ALIVE


def weigh(order: OrderView, report: OrderReport, venue_filled: Decimal) -> Verdict:
    """What `order` becomes in the light of `report`; `venue_filled` is the largest filled quantity seen so far."""
    filled = max(venue_filled, report.filled_quantity)
    wanted = status_of(report)
    overfilled = order.quantity is not None and filled > order.quantity
    if wanted is S.OPEN and filled > 0:
        wanted = S.PARTIALLY_FILLED  # an old "open" that arrived late
    if wanted is not order.status and can_move(order.status, wanted) and not _is_stale(order, wanted, filled):
        return Verdict(wanted, filled, True, is_reopening(order.status, wanted), overfilled)
    return Verdict(order.status, filled, filled != venue_filled, False, overfilled)
