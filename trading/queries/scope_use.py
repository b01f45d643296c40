"""What a scope has in use of its limits: over all accounts, over one instrument, by one strategy.

Read in the decision's transaction, under the lock of the scope where accounts share it. Everything that may become a
position counts in full. What cannot be told is None, and the rules deny on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from trading.domain.enums import HaltScope, OrderStatus
from trading.domain.money import ZERO, add, multiply
from trading.models import (
    TRANSFERS,
    Balance,
    EquityPeak,
    ExchangeAccount,
    LimitsVersion,
    Movement,
    Order,
    Strategy,
)
from trading.risk.facts import ScopeUse, SymbolExposure

from .pending import PendingOrder, exposures, pending_orders
from .valuation import PriceTable, day_start, day_start_equity, unexplained_value, value_account

LATELY = timedelta(minutes=10)
_MINUTE = timedelta(seconds=60)
PEAK_DAYS = 30
# A peak counts as far as so many snapshots in a row, this near to each other, confirm it.
PEAK_LOOKS = 3
PEAK_SPAN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Pace:
    """What was ordered in the last minute and, where a ratio is limited, in the last ten. Denied orders left out."""

    orders: int = 0
    notional: Decimal | None = ZERO
    lately: int | None = 0
    filled: int | None = 0


@dataclass(frozen=True, slots=True)
class AccountBooks:
    """What one account may come to hold, read once."""

    account: ExchangeAccount
    prices: PriceTable
    pending: list[PendingOrder]
    by_symbol: dict[str, SymbolExposure] = field(default_factory=dict)

    @property
    def is_idle(self) -> bool:
        """Switched off, and nothing of it is at risk: it is not synced (`watched_accounts`)."""
        return not self.account.is_enabled and not self.by_symbol

    def exposure(self, *, symbol: str | None = None) -> Decimal | None:
        """Dollars at risk in one symbol, or in all; None if one cannot be priced."""
        total = ZERO
        for name, exposure in self.by_symbol.items():
            if symbol is not None and name != symbol:
                continue
            worth = self.prices.worth(name, exposure.worst_quantity)
            if worth is None:
                return None
            total = add(total, worth)
        return total


def read_books(account: ExchangeAccount, prices: PriceTable | None = None) -> AccountBooks:
    pending = pending_orders(account)
    return AccountBooks(account, prices or PriceTable(account), pending, exposures(account, pending))


def in_doubt_worth(pending: Iterable[PendingOrder], prices: PriceTable) -> Decimal | None:
    total = ZERO
    for order in pending:
        if order.is_in_doubt:
            worth = _in_dollars(multiply(order.remaining, order.price), order.quote_asset, prices)
            if worth is None:
                return None
            total = add(total, worth)
    return total


def _in_dollars(notional: Decimal, quote_asset: str, prices: PriceTable) -> Decimal | None:
    rate = prices.rate(quote_asset)
    return multiply(notional, rate) if rate is not None else None


def read_pace(where: Q, prices: PriceTable, now: datetime, *, with_ratio: bool) -> Pace:
    """One query. The value is at the order's price, or at the last price its decision saw."""
    since = now - (LATELY if with_ratio else _MINUTE)
    minute = Q(created_at__gt=now - _MINUTE)
    rows = (
        Order.objects.filter(where, created_at__gt=since)
        .exclude(status=OrderStatus.DENIED)
        .order_by()
        .values("instrument__quote_asset")
        .annotate(
            orders=Count("id", filter=minute),
            lately=Count("id"),
            filled=Count("id", filter=Q(filled_quantity__gt=0)),
            notional=Sum(F("exposure_quantity") * Coalesce("price", "reference_price", ZERO), filter=minute),
        )
    )
    total: Decimal | None = ZERO
    orders = lately = filled = 0
    for row in rows:
        worth = _in_dollars(row["notional"] or ZERO, row["instrument__quote_asset"], prices)
        total = None if total is None or worth is None else add(total, worth)
        orders, lately, filled = orders + row["orders"], lately + row["lately"], filled + row["filled"]
    return Pace(orders, total, lately if with_ratio else None, filled if with_ratio else None)


def peak_equity(accounts: Sequence[UUID], now: datetime | None = None) -> Decimal | None:
    """The best day of thirty, all these accounts together; None if none was confirmed yet."""
    first = day_start(now or timezone.now()).date() - timedelta(days=PEAK_DAYS)
    days = EquityPeak.objects.filter(account__in=list(accounts), day__gte=first).order_by()
    peaks = list(days.values_list("account_id", "day", "equity", "at"))
    if not peaks:
        return None
    moved = _transfers_since(min(at for _, _, _, at in peaks), accounts)
    sums: dict[date, Decimal] = {}
    for account_id, day, equity, at in peaks:
        later = (value for owner, booked_at, value in moved if owner == account_id and booked_at > at)
        sums[day] = add(sums.get(day, ZERO), sum(later, equity))
    return add(max(sums.values()), _unexplained(accounts))


def _unexplained(accounts: Sequence[UUID]) -> Decimal:
    """What the equity of now holds that no peak contains."""
    drifting = Balance.objects.filter(account__in=list(accounts)).exclude(drift=0)
    found = ZERO
    for account in ExchangeAccount.objects.filter(pk__in=drifting.values("account")):
        found = add(found, unexplained_value(account))
    return found


def _transfers_since(instant: datetime, accounts: Sequence[UUID]) -> list[tuple[UUID, datetime, Decimal]]:
    """Money from outside is no gain and no loss: it moves the peak that a drawdown is measured from."""
    moved = Movement.objects.filter(account__in=list(accounts), kind__in=TRANSFERS, booked_at__gt=instant)
    return list(moved.filter(value__isnull=False).order_by().values_list("account_id", "booked_at", "value"))


def count_executions(strategy: Strategy, most: int) -> int:
    """Orders of the strategy since a person last enabled it, counted no further than matters."""
    since = strategy.enabled_at or strategy.created_at
    orders = Order.objects.filter(strategy=strategy, created_at__gt=since).exclude(status=OrderStatus.DENIED)
    return orders.order_by()[: most + 1].values("id").count()


def _belongs(row: LimitsVersion) -> Q:
    by_scope = {
        HaltScope.INSTRUMENT: Q(instrument__symbol=row.target),
        HaltScope.STRATEGY: Q(strategy__name=row.target),
        HaltScope.ACCOUNT: Q(account__name=row.target),
    }
    return by_scope.get(HaltScope(row.scope), Q())


def _counted(row: LimitsVersion, books: AccountBooks) -> list[PendingOrder]:
    """The pending orders of one account that the scope counts."""
    if row.scope == HaltScope.INSTRUMENT:
        return [order for order in books.pending if order.symbol == row.target]
    if row.scope == HaltScope.STRATEGY:
        return [order for order in books.pending if order.strategy == row.target]
    return books.pending


def measure_use(
    row: LimitsVersion,
    own: AccountBooks | None,
    everyone: list[AccountBooks],
    symbol: str | None,
    now: datetime,
) -> ScopeUse:
    """The use of the scope of one version. `own`: the account whose exposure the rule adds by itself, if any."""
    counted = [(books, _counted(row, books)) for books in everyone]
    others = [books for books in everyone if own is None or books.account.pk != own.account.pk]
    elsewhere = [books.exposure() for books in others]
    in_symbol = [books.exposure(symbol=symbol or row.target or None) for books in others]
    doubts = [in_doubt_worth(pending, books.prices) for books, pending in counted]
    prices = everyone[0].prices if everyone else None
    pace = (
        read_pace(
            _belongs(row) & Q(account__in=[books.account.pk for books in everyone]),
            prices,
            now,
            with_ratio=row.max_order_to_fill_ratio is not None,
        )
        if prices is not None
        else Pace()
    )
    daily = _daily(row, everyone, now)
    return ScopeUse(
        symbol_elsewhere=total(in_symbol),
        total_elsewhere=total(elsewhere),
        positions=sum(len(books.by_symbol) for books in everyone),
        open_orders=sum(len(pending) for _books, pending in counted),
        orders_last_minute=pace.orders,
        notional_last_minute=pace.notional,
        orders_lately=pace.lately,
        filled_lately=pace.filled,
        in_doubt_notional=total(doubts),
        daily_pnl=daily[0],
        day_start_equity=daily[1],
        equity=daily[2],
        peak_equity=peak_equity([books.account.pk for books in everyone], now)
        if row.max_drawdown_pct is not None
        else None,
    )


def _daily(
    row: LimitsVersion, everyone: list[AccountBooks], now: datetime
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Profit or loss of the day, its first equity, equity now: of all accounts together, only where it is limited."""
    if all(
        getattr(row, name) is None
        for name in ("max_daily_loss_pct", "max_daily_loss_usd", "max_drawdown_pct")
    ):
        return None, None, None
    days = [read_day(books, now) for books in everyone]
    start, equity = total(day[0] for day in days), total(day[1] for day in days)
    pnl = equity - start if equity is not None and start is not None else None
    return pnl, start, equity


def read_day(books: AccountBooks, now: datetime) -> tuple[Decimal | None, Decimal | None]:
    """The account's equity when the day began, and now. What an account lost before it was switched off is lost, and
    what it still holds is at risk; one that is idle since before the day brings neither gain nor loss, and nobody asks
    for its prices."""
    worth = value_account(books.account, books.prices)
    start = day_start_equity(books.account, now, books.prices)
    if books.is_idle:
        equity = worth.equity if worth is not None else ZERO
        return (equity if start is None else start), equity
    return start, worth.equity if worth is not None and not worth.unpriced else None


def total(numbers: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None as soon as one is unknown."""
    found = ZERO
    for number in numbers:
        if number is None:
            return None
        found = add(found, number)
    return found


def read_everyone(mode: str, own: AccountBooks | None = None) -> list[AccountBooks]:
    """The books of every account of the mode, disabled ones too: what they hold is at risk all the same."""
    tables: dict[tuple[str, str], PriceTable] = {}
    if own is not None:
        tables[own.account.venue, own.account.environment] = own.prices
    everyone = []
    for account in ExchangeAccount.objects.filter(mode=mode).order_by("name"):
        if own is not None and account.pk == own.account.pk:
            everyone.append(own)
            continue
        key = (account.venue, account.environment)
        if key not in tables:
            tables[key] = PriceTable(account)
        everyone.append(read_books(account, tables[key]))
    return everyone
