"""Keeps each position in the venue's order, whatever order fills arrive in: by venue time, then by the venue's fill id.

A fill that happened before one that is booked already changes how later ones split into average price and realized
PnL. The position is then taken back to the last fill before it and walked forward again: the cost is what happened
since, not the whole history. What is derived of a fill (what it closed, the average after it) moves; what the venue
said of it never does. The caller holds the position's lock and writes the position and the audit entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.functions import Collate, Length

from trading.domain.enums import Side
from trading.domain.money import ZERO, exact_arithmetic, plain
from trading.domain.outcomes import FillReport
from trading.domain.positions import PositionState
from trading.models import Fill, Position

# Ids of a venue are numbers or of one length: the shorter one is the earlier one.
Place = tuple[datetime, int, str]
IN_ORDER = (F("filled_at"), Length("venue_fill_id"), Collate("venue_fill_id", "C"))
_BACKWARDS = tuple(expression.desc() for expression in IN_ORDER)
_WALKED = (
    "id",
    "venue_fill_id",
    "side",
    "quantity",
    "price",
    "fee",
    "fee_asset",
    "filled_at",
    "realized_pnl",
)
# Fill id of the venue -> the position before and after it.
Steps = dict[str, tuple[PositionState, PositionState]]


def place_of(fill: Fill | FillReport) -> Place:
    return fill.filled_at, len(fill.venue_fill_id), fill.venue_fill_id


def walk(state: PositionState, fills: Iterable[Fill], base_asset: str) -> Steps:
    """From `state` over the fills, which are in order; sets what is derived of each."""
    steps: Steps = {}
    for fill in fills:
        before = state
        fee, asset = fill.fee, fill.fee_asset
        state = before.after(Side(fill.side), fill.quantity, fill.price, fee, asset, base_asset=base_asset)
        with exact_arithmetic():
            fill.realized_pnl = state.realized_pnl - before.realized_pnl
        fill.average_after = state.average_price
        steps[fill.venue_fill_id] = before, state
    return steps


def add_to_position(position: Position, arrived: Sequence[Fill]) -> tuple[Steps, dict[str, Any] | None]:
    """Move the row by fills that are new, in order, in memory; and what is to be told if they came late."""
    newest = position.newest_fill_at, len(position.newest_fill), position.newest_fill
    if position.newest_fill_at is None or place_of(arrived[0]) > newest:
        steps = walk(position.as_state(), arrived, position.instrument.base_asset)
        position.take_state(steps[arrived[-1].venue_fill_id][1], arrived[-1])
        return steps, None
    return _go_back(position, arrived)


def _go_back(position: Position, arrived: Sequence[Fill]) -> tuple[Steps, dict[str, Any]]:
    was = position.as_state()
    start, later = _find_start(position, arrived[0].filled_at)
    known = {fill.pk: (fill.realized_pnl, fill.average_after) for fill in later}
    fills = sorted([*arrived, *later], key=place_of)
    steps = walk(start, fills, position.instrument.base_asset)
    state = steps[fills[-1].venue_fill_id][1]
    changed = [fill for fill in later if known[fill.pk] != (fill.realized_pnl, fill.average_after)]
    write_derived(changed)
    position.take_state(state, fills[-1])
    return steps, {
        "symbol": position.instrument.symbol,
        "late": [fill.venue_fill_id for fill in arrived],
        "walked_again": len(later),
        "before": _split(was),
        "after": _split(state),
    }


def _split(state: PositionState) -> Mapping[str, str]:
    return {
        "quantity": plain(state.quantity),
        "average_price": plain(state.average_price),
        "realized_pnl": plain(state.realized_pnl),
    }


def _find_start(position: Position, at: datetime) -> tuple[PositionState, list[Fill]]:
    """The position as it was before `at`, and the booked fills since then, in order."""
    fills = fills_of(position)
    previous = fills.filter(filled_at__lt=at).order_by(*_BACKWARDS).first()
    if (
        previous is None or previous.average_after is None
    ):  # the second: booked by a version that did not keep it
        return PositionState(), list(fills.order_by(*IN_ORDER))
    later = list(fills.filter(filled_at__gte=at).order_by(*IN_ORDER))
    return _without(position, later, previous), later


def _without(position: Position, later: Sequence[Fill], previous: Fill) -> PositionState:
    assert previous.average_after is not None
    state, base_asset = position.as_state(), position.instrument.base_asset
    quantity, realized, fees = state.quantity, state.realized_pnl, dict(state.fees)
    with exact_arithmetic():
        for fill in later:
            quantity -= fill.quantity * Side(fill.side).sign
            realized -= fill.realized_pnl
            if fill.fee:
                fees[fill.fee_asset] = fees.get(fill.fee_asset, ZERO) - fill.fee
            if fill.fee_asset == base_asset:
                quantity += fill.fee
    return PositionState(quantity, previous.average_after, realized, fees)


def fills_of(position: Position) -> QuerySet[Fill]:
    fills = Fill.objects.filter(account_id=position.account_id, instrument_id=position.instrument_id)
    return fills.only(*_WALKED, "average_after")


def write_derived(fills: Sequence[Fill]) -> None:
    """The only columns of a fill that may change (a trigger sees to it), in one statement."""
    if not fills:
        return
    columns = [[getattr(fill, name) for fill in fills] for name in ("pk", "realized_pnl", "average_after")]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE trading_fill AS f SET realized_pnl = n.realized, average_after = n.average"
            " FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[]) AS n (id, realized, average) WHERE f.id = n.id",
            columns,
        )
