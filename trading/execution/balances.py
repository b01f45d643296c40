"""How a booked fill moves the balances between two syncs.

The venue's snapshot is the truth; a fill newer than the snapshot is added to it so that a sale can follow a purchase at
once, whether it is booked before the snapshot is written or after. A fill the snapshot already contains is not added
again.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from trading.domain.enums import Side
from trading.domain.money import ZERO
from trading.locking import lock_balances
from trading.models import Balance, ExchangeAccount, Fill, Order


def apply_fill_to_balances(order: Order, fill: Fill) -> None:
    """The caller holds the order's and the position's lock."""
    base, quote = order.instrument.base_asset, order.instrument.quote_asset
    rows = lock_balances(order.account_id, {base, quote, fill.fee_asset} - {""})
    known = (
        next((row for row in rows.values()), None) or Balance.objects.filter(account=order.account).first()
    )
    if known is None or fill.filled_at <= known.observed_at:
        return
    received, paid = ((base, fill.quantity), (quote, fill.notional))
    if fill.side == Side.SELL:
        received, paid = (quote, fill.notional), (base, fill.quantity)
    for asset in {received[0], paid[0], fill.fee_asset} - {""}:
        rows.setdefault(
            asset,
            Balance(
                account=order.account, asset=asset, free=ZERO, locked=ZERO, observed_at=known.observed_at
            ),
        )
    was_locked = order.acknowledged_at is not None and order.acknowledged_at <= known.observed_at
    rows[received[0]].free += received[1]
    _take(rows[paid[0]], paid[1], from_locked=was_locked)
    if fill.fee_asset and fill.fee:
        rows[fill.fee_asset].free -= fill.fee
    for row in rows.values():
        row.save()


def add_newer_fills(account: ExchangeAccount, asked_at: datetime) -> None:
    """A fill may be booked while the venue's answer, asked for earlier, is on its way: the snapshot must not undo it.

    The caller has written the snapshot and holds the rows' locks: what is booked later waits, and adds itself.
    """
    newer = Fill.objects.filter(account=account, filled_at__gt=asked_at)
    for fill in newer.select_related("order__instrument", "order__account").order_by("filled_at", "id"):
        apply_fill_to_balances(fill.order, fill)


def _take(row: Balance, quantity: Decimal, *, from_locked: bool) -> None:
    locked = min(row.locked, quantity) if from_locked else ZERO
    row.locked -= locked
    row.free -= quantity - locked
