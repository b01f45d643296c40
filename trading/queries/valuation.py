"""What things are worth: prices of one venue's instruments and rates into the reporting currency (US dollars).

Dollar stablecoins count as one dollar. An asset without a price is worth None, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from trading.domain.money import ZERO, add, multiply
from trading.models import Balance, EquitySnapshot, ExchangeAccount, Position, Quote

DOLLARS = frozenset({"USD", "USDT", "USDC", "FDUSD", "TUSD", "USD1", "DAI"})
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class PriceRow:
    symbol: str
    base_asset: str
    quote_asset: str
    last: Decimal
    bid: Decimal | None
    ask: Decimal | None
    received_at: datetime


class PriceTable:
    """The quotes of one venue and environment at one moment. Two reads of it give the same answer."""

    def __init__(self, account: ExchangeAccount) -> None:
        rows = Quote.objects.filter(
            instrument__venue=account.venue, instrument__environment=account.environment
        ).values_list(
            "instrument__symbol",
            "instrument__base_asset",
            "instrument__quote_asset",
            "last",
            "bid",
            "ask",
            "received_at",
        )
        self._rows = {row[0]: PriceRow(*row) for row in rows}

    def find(self, symbol: str) -> PriceRow | None:
        return self._rows.get(symbol)

    def are_newer_than(self, instant: datetime, account: ExchangeAccount) -> bool:
        """Whether every price that values a position of the account was received after the instant."""
        held = (
            Position.objects.filter(account=account)
            .exclude(quantity=0)
            .values_list("instrument__symbol", flat=True)
        )
        rows = [self._rows.get(symbol) for symbol in held]
        return all(row is not None and row.received_at >= instant for row in rows)

    def rate(self, asset: str) -> Decimal | None:
        """Dollars for one unit of the asset, or None."""
        if asset in DOLLARS:
            return _ONE
        for dollar in ("USDT", "USDC", "USD"):
            row = self._rows.get(f"{asset}/{dollar}")
            if row is not None:
                return row.last
        return None

    def worth(self, symbol: str, quantity: Decimal) -> Decimal | None:
        """Dollars of `quantity` base units of the symbol at its last price, or None."""
        row = self._rows.get(symbol)
        rate = self.rate(row.quote_asset) if row else None
        if row is None or rate is None:
            return None
        return multiply(multiply(abs(quantity), row.last), rate)


@dataclass(frozen=True, slots=True)
class EquityRow:
    """An account in dollars. `unpriced` assets are left out of the sums and named."""

    equity: Decimal
    cash: Decimal
    positions_value: Decimal
    unpriced: tuple[str, ...]


def read_balances(account: ExchangeAccount) -> list[Balance]:
    return list(Balance.objects.filter(account=account).order_by("asset"))


def value_account(account: ExchangeAccount, prices: PriceTable) -> EquityRow | None:
    """None if the account's balances were never seen."""
    return value_balances(read_balances(account), prices)


def value_balances(balances: list[Balance], prices: PriceTable) -> EquityRow | None:
    """None for no balances at all."""
    if not balances:
        return None
    cash, other, unpriced = ZERO, ZERO, []
    for balance in balances:
        total = balance.free + balance.locked
        rate = prices.rate(balance.asset)
        if rate is None:
            if total:
                unpriced.append(balance.asset)
        elif balance.asset in DOLLARS:
            cash = add(cash, total)
        else:
            other = add(other, multiply(total, rate))
    return EquityRow(cash + other, cash, other, tuple(sorted(unpriced)))


def day_start(now: datetime | None = None) -> datetime:
    """00:00 UTC of the trading day."""
    return (now or timezone.now()).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def day_start_equity(account: ExchangeAccount, now: datetime | None = None) -> Decimal | None:
    """The last snapshot of the hour before the day began, else the day's first; None if there is neither.

    Only complete ones count: an asset that had no price yet would later look like a profit and hide a loss.
    """
    begins = day_start(now)
    snapshots = EquitySnapshot.objects.filter(account=account, unpriced=[])
    before = snapshots.filter(at__lt=begins, at__gte=begins - timedelta(hours=1)).order_by("-at")
    since = snapshots.filter(at__gte=begins).order_by("at")
    columns = ("at", "equity")
    found = before.values_list(*columns)[:1].union(since.values_list(*columns)[:1], all=True)
    return min(found)[1] if found else None
