"""What the account holds and has at risk, valued at last prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from trading.domain.money import ZERO, add, divide, multiply
from trading.models import ExchangeAccount, Position

from .limits import limits_in_force
from .pending import exposures, pending_orders
from .valuation import EquityRow, PriceTable, day_start_equity, value_account


@dataclass(frozen=True, slots=True)
class SymbolRow:
    """Exposure of one symbol on one account, worst case of its pending orders included, in dollars."""

    account: str
    symbol: str
    position: Decimal
    pending_buy: Decimal
    pending_sell: Decimal
    last_price: Decimal | None
    price_at: datetime | None
    notional: Decimal | None
    limit: Decimal | None
    share: Decimal | None  # of the limit, in percent


@dataclass(frozen=True, slots=True)
class PositionRow:
    account: str
    symbol: str
    quantity: Decimal
    average_price: Decimal
    last_price: Decimal | None
    price_at: datetime | None
    notional: Decimal | None
    unrealized_pnl: Decimal | None
    realized_pnl: Decimal
    fees: dict[str, str]
    updated_at: datetime


def _percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return divide(part * 100, whole) if part is not None and whole else None


def exposure_rows(account: ExchangeAccount) -> list[SymbolRow]:
    prices = PriceTable(account)
    limits = limits_in_force()
    limit = limits.exposure_limit_symbol if limits else None
    rows = []
    for symbol, exposure in sorted(exposures(account, pending_orders(account)).items()):
        price = prices.find(symbol)
        notional = prices.worth(symbol, exposure.worst_quantity)
        rows.append(
            SymbolRow(
                account.name,
                symbol,
                exposure.position,
                exposure.pending_buy,
                exposure.pending_sell,
                price.last if price else None,
                price.received_at if price else None,
                notional,
                limit,
                _percent(notional, limit),
            )
        )
    return rows


def held_exposure(account: ExchangeAccount, prices: PriceTable | None = None) -> tuple[Decimal, list[str]]:
    """Dollars of all positions (fills only, not pending orders), and the symbols that could not be priced."""
    prices = prices or PriceTable(account)
    total, unpriced = ZERO, []
    positions = (
        Position.objects.filter(account=account)
        .exclude(quantity=0)
        .values_list("instrument__symbol", "quantity")
    )
    for symbol, quantity in positions:
        worth = prices.worth(symbol, quantity)
        if worth is None:
            unpriced.append(symbol)
        else:
            total = add(total, worth)
    return total, unpriced


def position_rows(account: ExchangeAccount | None = None) -> list[PositionRow]:
    positions = Position.objects.select_related("account", "instrument", "instrument__quote").order_by(
        "account__name", "instrument__symbol"
    )
    if account is not None:
        positions = positions.filter(account=account)
    rows = []
    for position in positions:
        quote = getattr(position.instrument, "quote", None)
        last = quote.last if quote else None
        state = position.as_state()
        rows.append(
            PositionRow(
                position.account.name,
                position.instrument.symbol,
                position.quantity,
                position.average_price,
                last,
                quote.received_at if quote else None,
                multiply(abs(position.quantity), last) if last is not None else None,
                state.unrealized_pnl(last) if last is not None else None,
                position.realized_pnl,
                dict(position.fees),
                position.updated_at,
            )
        )
    return rows


def equity_now(account: ExchangeAccount) -> EquityRow | None:
    return value_account(account, PriceTable(account))


def daily_pnl(account: ExchangeAccount) -> Decimal | None:
    """Equity now less the day's first; None if either is unknown or an asset cannot be priced."""
    equity, start = equity_now(account), day_start_equity(account, timezone.now())
    if equity is None or start is None or equity.unpriced:
        return None
    return equity.equity - start
