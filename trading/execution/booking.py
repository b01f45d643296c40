"""Books fills as sets: one read, then one statement per table, however many fills and orders arrive together.

Each fill is booked exactly once (unique on account and venue fill id) and moves, in the same commit, the position, the
ledger of movements and the balances. Positions are kept in the venue's order of time (`venue_order`), so that they do
not depend on the order of arrival. The caller holds the orders' locks, decides what the fills mean for them, and writes
the orders and the audit entries, each in one statement.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from trading import audit
from trading.domain.actors import system_actor
from trading.domain.money import exact_arithmetic, multiply
from trading.domain.outcomes import FillReport
from trading.domain.positions import PositionState
from trading.failpoints import failpoint
from trading.locking import lock_positions
from trading.models import Fill, Order, Position

from .balances import move_balances
from .copying import copy_rows
from .ledger import movements_of, write_movements
from .venue_order import add_to_position, place_of

ACTOR = system_actor("settlement")
# An order with what the venue says was filled of it.
Delivery = tuple[Order, Sequence[FillReport]]
_COLUMNS = (
    "account_id",
    "instrument_id",
    "order_id",
    "venue_fill_id",
    "side",
    "price",
    "quantity",
    "notional",
    "fee",
    "fee_asset",
    "is_maker",
    "realized_pnl",
    "average_after",
    "filled_at",
    "booked_at",
)
_OF_POSITION = (
    "quantity",
    "average_price",
    "realized_pnl",
    "fees",
    "newest_fill_at",
    "newest_fill",
    "updated_at",
)


@dataclass(frozen=True, slots=True)
class Booked:
    """How many fills were new, by order; and what the audit trail must say of it in the same commit: of the orders, and
    of the account whose positions were walked again."""

    counts: Mapping[UUID, int] = field(default_factory=dict)
    facts: Sequence[audit.Fact] = ()
    reordered: Sequence[audit.Fact] = ()


def book_fills(deliveries: Sequence[Delivery]) -> Booked:
    """All orders are of one account and locked; their new sums are in them, for the caller to write."""
    arrived = _unbooked(deliveries)
    if not arrived:
        return Booked()
    account_id, now = arrived[0][0].account_id, timezone.now()
    positions = _lock_positions(account_id, {order.instrument_id for order, _ in arrived}, now)
    fills = [_make_fill(order, report, now) for order, report in arrived]
    facts: list[audit.Fact] = []
    reordered: list[audit.Fact] = []
    for key, row in positions.items():
        of_position = [fill for fill in fills if fill.instrument_id == key]
        steps, late = add_to_position(row, of_position)
        facts += [
            ("fill.booked", fill.order_id, _entry(fill, *steps[fill.venue_fill_id])) for fill in of_position
        ]
        if late is not None:
            reordered.append(("position.reordered", account_id, late))
        save_position(row, now)
    copy_rows(_COLUMNS, fills, Fill)
    moved = [movement for fill in fills for movement in movements_of(fill)]
    write_movements(moved)
    move_balances(account_id, moved, fills)
    counts = _add_up(fills)
    failpoint("settlement.after_fill")
    return Booked(counts, facts, reordered)


def _unbooked(deliveries: Sequence[Delivery]) -> list[tuple[Order, FillReport]]:
    """What is new, each once, in the venue's order of time."""
    found = {report.venue_fill_id: (order, report) for order, reports in deliveries for report in reports}
    if not found:
        return []
    account_id = deliveries[0][0].account_id
    rows = Fill.objects.filter(account_id=account_id, venue_fill_id__in=list(found)).order_by()
    for known in rows.values_list("venue_fill_id", flat=True):
        del found[known]
    return sorted(found.values(), key=lambda pair: place_of(pair[1]))


def _lock_positions(account_id: UUID, instrument_ids: set[int], now: datetime) -> dict[int, Position]:
    locked = lock_positions(account_id, instrument_ids)
    if missing := instrument_ids - locked.keys():
        fresh = [Position(account_id=account_id, instrument_id=key, updated_at=now) for key in missing]
        Position.objects.bulk_create(fresh, ignore_conflicts=True)  # somebody else may be as quick
        locked = lock_positions(account_id, instrument_ids)
    return locked


def _make_fill(order: Order, report: FillReport, now: datetime) -> Fill:
    """What it closed is set when its position is moved."""
    return Fill(
        account_id=order.account_id,
        instrument=order.instrument,
        order=order,
        venue_fill_id=report.venue_fill_id,
        side=report.side,
        price=report.price,
        quantity=report.quantity,
        notional=multiply(report.quantity, report.price),
        fee=report.fee,
        fee_asset=report.fee_asset,
        is_maker=report.is_maker,
        filled_at=report.filled_at,
        booked_at=now,
    )


def _entry(fill: Fill, before: PositionState, after: PositionState) -> dict[str, object]:
    return {
        "symbol": fill.instrument.symbol,
        "side": fill.side,
        "fill": fill.venue_fill_id,
        "quantity": fill.quantity,
        "price": fill.price,
        "fee": fill.fee,
        "fee_asset": fill.fee_asset,
        "position": {"before": before.quantity, "after": after.quantity},
    }


def save_position(position: Position, now: datetime) -> None:
    """The caller holds its lock."""
    position.updated_at = now
    position.save(update_fields=_OF_POSITION)


def _add_up(fills: Iterable[Fill]) -> dict[UUID, int]:
    """Move the orders' sums; they are locked, and the caller writes them."""
    by_order: dict[UUID, list[Fill]] = defaultdict(list)
    for fill in fills:
        by_order[fill.order_id].append(fill)
    with exact_arithmetic():
        for of_order in by_order.values():
            order = of_order[0].order
            order.filled_quantity += sum(fill.quantity for fill in of_order)
            order.filled_notional += sum(fill.notional for fill in of_order)
            order.venue_filled_quantity = max(order.venue_filled_quantity, order.filled_quantity)
    return {key: len(of_order) for key, of_order in by_order.items()}
