"""What all triggers look at, read once per look: the books of every account, the limits in force, the thresholds.

A look is what is in use against its threshold; one that cannot tell says None. Never decides, never writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from django.conf import settings
from django.utils import timezone

from trading.domain.enums import HaltScope
from trading.domain.money import ZERO, divide
from trading.models import ExchangeAccount, LimitsVersion
from trading.risk.triggers import TRIGGER_RULES

from .limits import versions_in_force
from .scope_use import AccountBooks, read_day, read_everyone, total
from .valuation import PriceRow


@dataclass(frozen=True, slots=True)
class TriggerLook:
    """`used` None: cannot be told. `threshold` None: none is set. `at_stake`: whether blindness matters here."""

    trigger: str
    scope: HaltScope
    target: str
    used: Decimal | None
    threshold: Decimal | None
    words: str = ""
    at_stake: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        return self.trigger, self.scope.value, self.target


class Sight:
    """Everything the triggers look at, read once. `only`: look at this account, and at what all share."""

    def __init__(self, now: datetime | None = None, only: ExchangeAccount | None = None) -> None:
        self.now = now or timezone.now()
        # As the rules count: what a disabled account holds, or lost before it was disabled, is money all the same.
        self.everyone = read_everyone(settings.LEVI_MODE)
        # By itself it opens nothing that a halt of its own could stop.
        enabled = [books for books in self.everyone if books.account.is_enabled]
        self.mine = [books for books in enabled if only is None or books.account.pk == only.pk]
        self.only = only
        self.thresholds: Mapping[str, Decimal | None] = settings.LEVI_CONFIG.risk.triggers

    @cached_property
    def versions(self) -> list[LimitsVersion]:
        return list(versions_in_force())

    @cached_property
    def widest(self) -> LimitsVersion | None:
        return next((row for row in self.versions if row.scope == HaltScope.EVERYTHING), None)

    def threshold(self, trigger: str) -> Decimal | None:
        """What the configuration says, else the table's default; None: switched off."""
        return self.thresholds.get(trigger, TRIGGER_RULES[trigger].threshold)

    def books_of(self, row: LimitsVersion) -> list[AccountBooks] | None:
        """The accounts a version is about; None if this look leaves it to another."""
        if row.scope in (HaltScope.EVERYTHING, HaltScope.INSTRUMENT):
            return self.everyone
        return [books for books in self.mine if books.account.name == row.target] or None

    def versions_with(self, trigger: str, *names: str) -> Iterator[tuple[LimitsVersion, list[AccountBooks]]]:
        """Versions that set one of these limits, on a scope of the trigger, with their accounts."""
        for row in self.versions:
            is_set = any(getattr(row, name) is not None for name in names)
            books = self.books_of(row) if is_set else None
            if books and row.scope in TRIGGER_RULES[trigger].scopes:
                yield row, books

    def has_fresh_prices(self, books: AccountBooks, row: LimitsVersion) -> bool:
        """Every price that values what is held is young enough, and its two sources agree."""
        widest = self.widest or row
        age = row.max_price_age_seconds or widest.max_price_age_seconds or ZERO
        if not books.prices.are_newer_than(self.now - timedelta(seconds=int(age)), books.account):
            return False
        most = row.max_price_gap_pct if row.max_price_gap_pct is not None else widest.max_price_gap_pct
        rows = [books.prices.find(symbol) for symbol in books.by_symbol]
        return most is None or all(price is None or price_gap(price) <= most for price in rows)

    def day(self, books: list[AccountBooks], row: LimitsVersion) -> tuple[Decimal | None, Decimal | None]:
        """The equity of all of them when the day began, and now."""
        days = [read_day(each, self.now) for each in books]
        is_fresh = all(self.has_fresh_prices(each, row) for each in books)
        return total(day[0] for day in days), total(day[1] for day in days) if is_fresh else None


def price_gap(price: PriceRow) -> Decimal:
    """How far the last price is outside of best bid and ask, in percent; 0 without a book."""
    book = [side for side in (price.bid, price.ask) if side]
    if len(book) < 2:
        return ZERO
    near = min(book) if price.last < min(book) else max(book)
    outside = price.last < min(book) or price.last > max(book)
    return divide(abs(price.last - near) * 100, near) if outside else ZERO


def is_at_stake(books: Iterable[AccountBooks]) -> bool:
    return any(each.by_symbol for each in books)
