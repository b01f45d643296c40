"""What things are worth: prices of one venue's instruments and rates into the reporting currency.

The reporting currency is a dollar, whichever `books.reporting_currency` names, because limits and tolerances are in
dollars too. Dollar stablecoins count as one dollar. An asset without a price is worth None, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from trading.domain.money import DOLLARS, ZERO, add, divide, multiply
from trading.models import (
    NEVER_OBSERVED,
    TRANSFERS,
    Balance,
    EquitySnapshot,
    ExchangeAccount,
    Movement,
    Position,
    Quote,
)

_ONE = Decimal(1)
_QUOTED_DOLLARS = ("USDT", "USDC", "USD")
_BRIDGES = ("BTC", "ETH")


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
        """Dollars for one unit of the asset: by a dollar quote of its own, else through an asset that has one."""
        if asset in DOLLARS:
            return _ONE
        if (direct := self._against_dollars(asset)) is not None:
            return direct
        for bridge in _BRIDGES:
            row, rate = self._rows.get(f"{asset}/{bridge}"), self._against_dollars(bridge)
            if row is not None and rate is not None:
                return multiply(row.last, rate)
        return None

    def _against_dollars(self, asset: str) -> Decimal | None:
        for dollar in _QUOTED_DOLLARS:
            if (row := self._rows.get(f"{asset}/{dollar}")) is not None:
                return row.last
            if (row := self._rows.get(f"{dollar}/{asset}")) is not None and row.last:
                return divide(_ONE, row.last)
        return None

    def value(self, asset: str, quantity: Decimal) -> Decimal | None:
        """A quantity of an asset in the reporting currency, with its sign; None without a price."""
        rate = self.rate(asset)
        return multiply(quantity, rate) if rate is not None else None

    def worth(self, symbol: str, quantity: Decimal) -> Decimal | None:
        """The notional of `quantity` base units at the last price, in the reporting currency; or None."""
        row = self._rows.get(symbol)
        rate = self.rate(row.quote_asset) if row else None
        if row is None or rate is None:
            return None
        return multiply(multiply(abs(quantity), row.last), rate)


@dataclass(frozen=True, slots=True)
class EquityRow:
    """An account in the reporting currency. `unpriced` assets are left out of the sums and named."""

    equity: Decimal
    cash: Decimal
    positions_value: Decimal
    unpriced: tuple[str, ...]


def read_balances(account: ExchangeAccount) -> list[Balance]:
    """Empty until the opening balances were taken over: before that nothing is known of what is held."""
    return list(Balance.objects.filter(account=account, observed_at__gt=NEVER_OBSERVED).order_by("asset"))


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
    """When the trading day began: the configured hour of the configured zone, at or before now."""
    books = settings.LEVI_CONFIG.books
    zone = ZoneInfo(books.day_time_zone)
    local = (now or timezone.now()).astimezone(zone)
    begins = local.replace(hour=books.day_starts_at_hour, minute=0, second=0, microsecond=0, fold=0)
    if begins > local:
        begins = (begins - timedelta(days=1)).replace(fold=0)
    return begins.astimezone(UTC)


def transfers_value(account: ExchangeAccount, *, after: datetime | None = None) -> Decimal:
    """Deposits less withdrawals booked after an instant, each at its worth when it was booked."""
    moved = Movement.objects.filter(account=account, kind__in=TRANSFERS)
    if after is not None:
        moved = moved.filter(booked_at__gt=after)
    rows = list(moved.order_by().values_list("asset", "quantity", "value"))
    prices = PriceTable(account) if any(value is None for _, _, value in rows) else None
    total = ZERO
    for asset, quantity, value in rows:
        if value is None and prices is not None:
            value = prices.value(asset, quantity)
        total = add(total, value or ZERO)
    return total


def unexplained_value(account: ExchangeAccount, prices: PriceTable | None = None) -> Decimal:
    """What came in without a movement that says why, at its worth now.

    Taken for a deposit whose record is still missing, so that it neither is a profit, nor hides a loss, nor counts
    twice once its record is there. All assets together, because a trade that nobody told us of moves two; what is
    missing altogether counts as the loss that it may be.
    """
    rows = list(Balance.objects.filter(account=account).exclude(drift=0).values_list("asset", "drift"))
    if not rows:
        return ZERO
    prices, total = prices or PriceTable(account), ZERO
    for asset, drift in rows:
        total = add(total, prices.value(asset, drift) or ZERO)
    return max(total, ZERO)


def day_start_equity(
    account: ExchangeAccount, now: datetime | None = None, prices: PriceTable | None = None
) -> Decimal | None:
    """What the equity would be had the day brought neither gain nor loss; None if that is unknown.

    The last snapshot of the hour before the day began, else the day's first, and what was deposited less what was
    withdrawn since, with what nothing explains yet. Only complete snapshots count: an asset that had no price yet would
    later look like a profit and hide a loss.
    """
    begins = day_start(now)
    snapshots = EquitySnapshot.objects.filter(account=account, unpriced=[])
    before = snapshots.filter(at__lt=begins, at__gte=begins - timedelta(hours=1)).order_by("-at")
    since = snapshots.filter(at__gte=begins).order_by("at")
    columns = ("at", "equity", "unexplained")
    found = before.values_list(*columns)[:1].union(since.values_list(*columns)[:1], all=True)
    if not found:
        return None
    at, equity, unexplained = min(found)
    moved = add(transfers_value(account, after=at), add(unexplained_value(account, prices), -unexplained))
    return add(equity, moved)
