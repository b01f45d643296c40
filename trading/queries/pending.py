"""What may still become a position: orders at risk, and the worst that they and the positions can come to.

Approved, submitting, in-doubt, quarantined and open orders count in full.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.domain.enums import Side
from trading.domain.money import ZERO, add
from trading.domain.order_states import AT_RISK, UNRESOLVED
from trading.models import ExchangeAccount, Order, Position
from trading.risk.facts import SymbolExposure

_PENDING_COLUMNS = (
    "instrument__symbol",
    "instrument__base_asset",
    "instrument__quote_asset",
    "side",
    "exposure_quantity",
    "filled_quantity",
    "price",
    "reference_price",
    "acknowledged_at",
    "strategy__name",
    "status",
)


@dataclass(frozen=True, slots=True)
class PendingOrder:
    """The part of an order at risk that is not filled yet."""

    symbol: str
    base_asset: str
    quote_asset: str
    side: Side
    remaining: Decimal
    price: Decimal
    acknowledged_at: datetime | None
    strategy: str | None = None
    is_in_doubt: bool = False


def pending_orders(account: ExchangeAccount) -> list[PendingOrder]:
    rows = Order.objects.filter(account=account, status__in=AT_RISK).values_list(*_PENDING_COLUMNS)
    return [
        PendingOrder(
            symbol,
            base,
            quote,
            Side(side),
            max(wanted - filled, ZERO),
            price or reference or ZERO,
            seen,
            strategy,
            status in UNRESOLVED,
        )
        for symbol, base, quote, side, wanted, filled, price, reference, seen, strategy, status in rows
    ]


def exposures(account: ExchangeAccount, pending: list[PendingOrder]) -> dict[str, SymbolExposure]:
    """Position and pending quantities per symbol."""
    positions = dict(
        Position.objects.filter(account=account)
        .exclude(quantity=0)
        .order_by()
        .values_list("instrument__symbol", "quantity")
    )
    sums: dict[str, dict[Side, Decimal]] = defaultdict(lambda: {Side.BUY: ZERO, Side.SELL: ZERO})
    for order in pending:
        sums[order.symbol][order.side] = add(sums[order.symbol][order.side], order.remaining)
    return {
        symbol: SymbolExposure(positions.get(symbol, ZERO), sums[symbol][Side.BUY], sums[symbol][Side.SELL])
        for symbol in {*positions, *sums}
    }
