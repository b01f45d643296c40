"""How much of every limit is in use now, in percent, per scope; and the bands in which people are warned.

The same measures as the rules take, without an order. A limit on a single order has no use to measure. What cannot be
told has no share, never a share of zero. Never decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from trading.domain.enums import HaltScope
from trading.domain.money import ZERO, divide
from trading.models import LimitsVersion, Strategy
from trading.risk.facts import ScopeUse
from trading.risk.limit_fields import FIELDS, LimitField
from trading.risk.pace_rules import RATIO_SAMPLE

from .limits import versions_in_force
from .portfolio import held_exposure
from .scope_use import AccountBooks, count_executions, measure_use, read_everyone, total

BANDS = (50, 75, 90)
FULL = 100
# A band is left only this far below it, so that a warning does not come and go.
HYSTERESIS = 5


@dataclass(frozen=True, slots=True)
class UseRow:
    """`used` and `share_pct` are None where it cannot be told. `subject`: the symbol or strategy that uses most."""

    limit: str
    label: str
    unit: str
    scope: str
    target: str
    version: int
    subject: str
    used: Decimal | None
    maximum: Decimal
    share_pct: Decimal | None

    @property
    def band(self) -> int:
        return band_of(self.share_pct)

    @property
    def scope_name(self) -> str:
        return f"{self.scope} {self.target}".strip()


Used = tuple[str, Decimal | None]
Measured = Callable[[LimitsVersion, ScopeUse, list[AccountBooks]], Used]


def _symbol_exposure(row: LimitsVersion, _use: ScopeUse, books: list[AccountBooks]) -> Used:
    """The symbol with the most at risk, over the accounts of the scope."""
    symbols = {symbol for each in books for symbol in each.by_symbol}
    if row.scope == HaltScope.INSTRUMENT:
        symbols = {row.target}
    worths = {symbol: total(each.exposure(symbol=symbol) for each in books) for symbol in sorted(symbols)}
    if None in worths.values():
        return "", None
    found = [(worth, symbol) for symbol, worth in worths.items() if worth is not None]
    worth, symbol = max(found, default=(ZERO, ""))
    return symbol, worth


def _loss(_row: LimitsVersion, use: ScopeUse, _books: list[AccountBooks]) -> Used:
    return "", None if use.daily_pnl is None else max(-use.daily_pnl, ZERO)


def _loss_pct(_row: LimitsVersion, use: ScopeUse, _books: list[AccountBooks]) -> Used:
    if use.daily_pnl is None or not use.day_start_equity:
        return "", None
    return "", max(divide(-use.daily_pnl * 100, use.day_start_equity), ZERO)


def _drawdown(_row: LimitsVersion, use: ScopeUse, _books: list[AccountBooks]) -> Used:
    if use.equity is None or not use.peak_equity:
        return "", None
    return "", max(divide((use.peak_equity - use.equity) * 100, use.peak_equity), ZERO)


def _held(row: LimitsVersion, _use: ScopeUse, books: list[AccountBooks]) -> Used:
    if row.scope == HaltScope.INSTRUMENT:
        positions = [(each, each.by_symbol.get(row.target)) for each in books]
        return "", total(
            each.prices.worth(row.target, exposure.position) if exposure else ZERO
            for each, exposure in positions
        )
    found = [held_exposure(each.account, each.prices) for each in books]
    return "", total(None if unpriced else worth for worth, unpriced in found)


def _ratio(_row: LimitsVersion, use: ScopeUse, _books: list[AccountBooks]) -> Used:
    if use.orders_lately is None or use.filled_lately is None:
        return "", None
    if use.orders_lately < RATIO_SAMPLE:
        return "", ZERO
    return "", divide(Decimal(use.orders_lately), Decimal(max(use.filled_lately, 1)))


def _executions(row: LimitsVersion, _use: ScopeUse, _books: list[AccountBooks]) -> Used:
    """The strategy that is nearest to its limit."""
    most = row.max_repeated_executions or 0
    named = Strategy.objects.filter(is_enabled=True)
    if row.scope == HaltScope.STRATEGY:
        named = named.filter(name=row.target)
    counts = [(count_executions(strategy, most), strategy.name) for strategy in named[:200]]
    n, name = max(counts, default=(0, ""))
    return name, Decimal(n)


def _counted(name: str) -> Measured:
    def read(_row: LimitsVersion, use: ScopeUse, _books: list[AccountBooks]) -> Used:
        number = getattr(use, name)
        return "", None if number is None else Decimal(number)

    return read


MEASURED: dict[str, Measured] = {
    "exposure_limit_symbol": _symbol_exposure,
    "exposure_limit_total": _counted("total_elsewhere"),
    "kill_threshold_usd": _held,
    "max_concurrent_positions": _counted("positions"),
    "max_open_orders": _counted("open_orders"),
    "max_orders_per_minute": _counted("orders_last_minute"),
    "max_notional_per_minute": _counted("notional_last_minute"),
    "max_order_to_fill_ratio": _ratio,
    "max_in_doubt_notional": _counted("in_doubt_notional"),
    "max_repeated_executions": _executions,
    "max_daily_loss_pct": _loss_pct,
    "max_daily_loss_usd": _loss,
    "max_drawdown_pct": _drawdown,
}


def read_utilisation(
    now: datetime | None = None, *, everyone: list[AccountBooks] | None = None
) -> list[UseRow]:
    """Every limit in force whose use can be measured, the fullest first."""
    now = now or timezone.now()
    everyone = read_everyone(settings.LEVI_MODE) if everyone is None else everyone
    rows: list[UseRow] = []
    for version in versions_in_force():
        books = _books_of(version, everyone)
        fields = [FIELDS[name] for name in MEASURED if getattr(version, name) is not None]
        if books and fields:
            use = measure_use(version, None, books, None, now)
            rows += [_row(version, field, use, books) for field in fields]
    return sorted(rows, key=lambda row: (row.share_pct is None, row.share_pct or ZERO), reverse=True)


def _books_of(version: LimitsVersion, everyone: list[AccountBooks]) -> list[AccountBooks]:
    if version.scope == HaltScope.ACCOUNT:
        return [books for books in everyone if books.account.name == version.target]
    return everyone


def _row(version: LimitsVersion, field: LimitField, use: ScopeUse, books: list[AccountBooks]) -> UseRow:
    maximum = Decimal(getattr(version, field.name))
    subject, used = MEASURED[field.name](version, use, books)
    share = None
    if used is not None:
        share = divide(used * 100, maximum) if maximum else Decimal(FULL if used > 0 else 0)
    return UseRow(
        field.name,
        field.label,
        field.unit,
        version.scope,
        version.target,
        version.version,
        subject,
        used,
        maximum,
        share,
    )


def band_of(share_pct: Decimal | None) -> int:
    """0, 50, 75, 90 or 100: the highest that is reached. What cannot be told is in no band."""
    if share_pct is None:
        return 0
    return max((band for band in (*BANDS, FULL) if share_pct >= band), default=0)


def next_band(before: int, share_pct: Decimal | None) -> int:
    """The band to remember: up at once, down only with some distance, unchanged where nothing can be told."""
    if share_pct is None:
        return before
    return max(band_of(share_pct), min(before, band_of(share_pct + HYSTERESIS)))


def worst_shares(rows: Iterable[UseRow]) -> dict[str, Decimal]:
    """Per limit the fullest of all scopes; a limit of which one scope cannot be told is left out."""
    found: dict[str, Decimal | None] = {}
    for row in rows:
        before = found.get(row.limit, ZERO)
        found[row.limit] = None if before is None or row.share_pct is None else max(before, row.share_pct)
    return {name: share for name, share in found.items() if share is not None}
