"""Filters of the lists. Their choices never scan a big table: they come from vocabularies and small tables.

Django's own filters for foreign keys would offer every symbol of a venue or look for the used ones among millions of
rows; these offer what the operator trades.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from trading.models import ExchangeAccount, Position, Strategy
from trading.queries.limits import limits_in_force

Choices = Callable[[], Iterable[tuple[str, str]]]


def _accounts() -> list[tuple[str, str]]:
    return [(name, name) for name in ExchangeAccount.objects.values_list("name", flat=True)]


def _strategies() -> list[tuple[str, str]]:
    return [(name, name) for name in Strategy.objects.values_list("name", flat=True)[:200]]


def traded_symbols() -> list[str]:
    """The allow-list of the limits in force, and everything a position was ever held in."""
    limits = limits_in_force()
    allowed = limits.allowed_symbols or [] if limits else []
    held = Position.objects.values_list("instrument__symbol", flat=True).distinct()
    return sorted({*allowed, *held})


def _symbols() -> list[tuple[str, str]]:
    return [(symbol, symbol) for symbol in traded_symbols()]


def words(vocabulary: Iterable[Any]) -> Choices:
    return lambda: [(str(member.value), str(member.value).replace("_", " ")) for member in vocabulary]


def by(parameter: str, title: str, lookup: str, choices: Choices) -> type[SimpleListFilter]:
    """A filter class for one column."""

    class ColumnFilter(SimpleListFilter):
        parameter_name = parameter

        def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
            return choices()

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            chosen = self.value()
            return queryset.filter(**{lookup: chosen}) if chosen else queryset

    ColumnFilter.title = title
    ColumnFilter.__name__ = f"{parameter.title()}Filter"
    return ColumnFilter


def by_account(lookup: str = "account__name") -> type[SimpleListFilter]:
    return by("account", "account", lookup, _accounts)


def by_symbol(lookup: str = "instrument__symbol") -> type[SimpleListFilter]:
    return by("symbol", "symbol", lookup, _symbols)


def by_strategy(lookup: str = "strategy__name") -> type[SimpleListFilter]:
    return by("strategy", "strategy", lookup, _strategies)


_SPANS = (
    ("hour", "last hour", 1),
    ("day", "last 24 hours", 24),
    ("week", "last 7 days", 168),
    ("month", "last 30 days", 720),
)


def by_time(column: str) -> type[SimpleListFilter]:
    hours = {word: number for word, _, number in _SPANS}

    class TimeFilter(SimpleListFilter):
        title = "time"
        parameter_name = "within"

        def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
            return [(word, text) for word, text, _ in _SPANS]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            span = hours.get(self.value() or "")
            return (
                queryset.filter(**{f"{column}__gte": timezone.now() - timedelta(hours=span)})
                if span
                else queryset
            )

    return TimeFilter
