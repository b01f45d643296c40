"""The ledger of movements: what each event adds to which asset. Append-only, each movement once.

Moving `Balance.booked`, the running sum, in the same commit is `balances`' part; nothing else writes movements.
"""

from __future__ import annotations

from collections.abc import Sequence

from trading.domain.enums import Side
from trading.models import Fill, Movement, MovementKind

from .copying import copy_rows

_COLUMNS = ("account_id", "asset", "kind", "quantity", "value", "at", "booked_at", "reference")


def movements_of(fill: Fill) -> list[Movement]:
    """Base and quote against each other, and the fee in whatever asset it was taken: a negative fee is a rebate."""
    sign = Side(fill.side).sign
    base, quote = fill.instrument.base_asset, fill.instrument.quote_asset
    parts = [
        (MovementKind.FILL, base, fill.quantity if sign > 0 else -fill.quantity),
        (MovementKind.FILL, quote, -fill.notional if sign > 0 else fill.notional),
    ]
    if fill.fee and fill.fee_asset:
        kind = MovementKind.FEE if fill.fee > 0 else MovementKind.REBATE
        parts.append((kind, fill.fee_asset, fill.fee.copy_negate()))
    return [
        Movement(
            account_id=fill.account_id,
            asset=asset,
            kind=kind,
            quantity=quantity,
            at=fill.filled_at,
            booked_at=fill.booked_at,
            reference=fill.venue_fill_id,
        )
        for kind, asset, quantity in parts
    ]


def write_movements(movements: Sequence[Movement]) -> None:
    """A second time for the same event is an IntegrityError, and takes the whole commit back."""
    copy_rows(_COLUMNS, movements, Movement)
