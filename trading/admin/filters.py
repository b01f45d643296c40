"""Filters of the lists. Their choices never scan a big table: they come from vocabularies and small tables.

Django's own filters for foreign keys would offer every symbol of a venue or look for the used ones among millions of
rows; these offer what the operator trades.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin import SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from trading.models import AlgoChild, ExchangeAccount, Instrument, Position, Strategy
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


def by_name(
    parameter: str, column: str, model: type[Model], name: str, choices: Choices
) -> type[SimpleListFilter]:
    """A filter by the name of a related row. The name is looked up first: joined to it, the database cannot tell how
    many rows match, and reads all of them in search of a name that has none."""
    base = by(parameter, parameter, column, choices)

    class NameFilter(base):  # type: ignore[valid-type,misc]
        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            chosen = self.value()
            if not chosen:
                return queryset
            keys = list(model._default_manager.filter(**{name: chosen}).values_list("pk", flat=True))
            return queryset.filter(**{f"{column}__in": keys})

    NameFilter.__name__ = f"{parameter.title()}Filter"
    return NameFilter


def by_account() -> type[SimpleListFilter]:
    return by_name("account", "account", ExchangeAccount, "name", _accounts)


def by_symbol() -> type[SimpleListFilter]:
    return by_name("symbol", "instrument", Instrument, "symbol", _symbols)


def by_strategy() -> type[SimpleListFilter]:
    return by_name("strategy", "strategy", Strategy, "name", _strategies)


class AlgoFilter(SimpleListFilter):
    """The children of one algo. Offered by a link only: its choices would be every algo there ever was."""

    title = "algo"
    parameter_name = "algo"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        given = request.GET.get(self.parameter_name, "")
        return [(given, f"…{given[-8:]}")] if given else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen or not _is_id(chosen):
            return queryset.none() if chosen else queryset
        # Looked up first, as names are: an algo has a thousand children at most.
        children = AlgoChild.objects.filter(algo_id=chosen).values_list("order_id", flat=True)
        return queryset.filter(pk__in=list(children))


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


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
