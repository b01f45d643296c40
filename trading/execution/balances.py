"""How movements move the balances.

Always free + locked = booked + drift: the sum of our movements, and the difference to the venue that an open break
names. No clock of ours is ever compared with one of the venue, so that a snapshot that was taken before a fill, and
written after it, cannot take the fill back: what was bought can be sold at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from django.db import connection

from trading.domain.enums import Side
from trading.domain.money import ZERO, exact_arithmetic
from trading.locking import lock_balances
from trading.models import NEVER_OBSERVED, Balance, Fill, Movement


def move_balances(account_id: UUID, movements: Sequence[Movement], fills: Iterable[Fill] = ()) -> None:
    """Add what the movements add up to. The caller holds the locks of whatever they come from."""
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    with exact_arithmetic():
        for movement in movements:
            sums[movement.asset] += movement.quantity
        rows = lock_or_make_balances(account_id, set(sums))
        paid = _paid_from_locks(fills, rows)
        for asset, row in rows.items():
            row.booked += sums[asset]
            set_parts(row, row.locked - paid.get(asset, ZERO))
    write_balances(rows.values())


def set_parts(row: Balance, locked: Decimal) -> None:
    """Locked as given, but never more than there is; the rest of the total is free."""
    with exact_arithmetic():
        total = row.booked + row.drift
        row.locked = min(max(locked, ZERO), max(total, ZERO))
        row.free = total - row.locked


def _paid_from_locks(fills: Iterable[Fill], rows: dict[str, Balance]) -> dict[str, Decimal]:
    """What the fills of orders that the venue had already locked for have used of those locks."""
    paid: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for fill in fills:
        sold = fill.side == Side.SELL
        asset = fill.instrument.base_asset if sold else fill.instrument.quote_asset
        seen = fill.order.acknowledged_at
        if seen is not None and seen <= rows[asset].observed_at:
            paid[asset] += fill.quantity if sold else fill.notional
    return paid


def lock_or_make_balances(account_id: UUID, assets: set[str]) -> dict[str, Balance]:
    rows = lock_balances(account_id, assets)
    if missing := assets - rows.keys():
        asked = Balance.objects.filter(account_id=account_id).order_by("-observed_at")
        observed_at = asked.values_list("observed_at", flat=True).first() or NEVER_OBSERVED
        fresh = [
            Balance(account_id=account_id, asset=asset, free=ZERO, locked=ZERO, observed_at=observed_at)
            for asset in missing
        ]
        Balance.objects.bulk_create(fresh, ignore_conflicts=True)  # somebody else may be as quick
        rows = lock_balances(account_id, assets)
    return rows


def write_balances(rows: Iterable[Balance]) -> None:
    """One statement for all of them; they are locked."""
    columns = [
        [getattr(row, name) for row in rows]
        for name in ("pk", "free", "locked", "booked", "drift", "observed_at")
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE trading_balance AS b SET free = n.free, locked = n.locked, booked = n.booked, drift = n.drift,"
            " observed_at = n.observed_at FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[],"
            " %s::numeric[], %s::timestamptz[]) AS n (id, free, locked, booked, drift, observed_at) WHERE b.id = n.id",
            columns,
        )
