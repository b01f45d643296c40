"""Filters of list endpoints. An unknown or doubled parameter is a 400: a misspelt filter must not show everything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request

from trading.domain.errors import InvalidInput, UnknownName
from trading.models import ExchangeAccount, Instrument, Strategy

_YEARS = range(1970, 3000)


def refuse_unknown(request: Request, known: Any) -> None:
    for name, values in request.query_params.lists():
        if name not in known:
            raise InvalidInput(
                f"Unknown parameter {name[:60]!r}.",
                remedy=f"Known: {', '.join(sorted(known))}.",
                field=name[:60],
            )
        if len(values) > 1:
            raise InvalidInput(
                f"Parameter {name} is given more than once.",
                remedy="Give it once; separate several values by commas where they are allowed.",
                field=name,
            )


class StrictFilterBackend(DjangoFilterBackend):  # type: ignore[misc]
    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filterset = self.get_filterset_class(view, queryset)
        refuse_unknown(request, {*(filterset.base_filters if filterset else ()), *view.extra_parameters})
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


class WordsFilter(django_filters.BaseInFilter, django_filters.ChoiceFilter):  # type: ignore[misc]
    """One or more of the choices, separated by commas."""


def words_filter(field: str, choices: Any) -> WordsFilter:
    return WordsFilter(
        field_name=field, choices=choices, lookup_expr="in", help_text="One or more, by commas."
    )


class RowFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Base: knows how to ask for accounts and symbols by name, and refuses names that do not exist."""

    @staticmethod
    def by_account(queryset: QuerySet[Any], field: str, name: str) -> QuerySet[Any]:
        account = ExchangeAccount.objects.filter(name=name).first()
        if account is None:
            raise UnknownName(
                f"Unknown account {name!r}.",
                remedy="GET /api/v1/accounts lists them.",
                code="unknown_account",
                field="account",
            )
        return queryset.filter(**{field: account})

    @staticmethod
    def by_symbol(queryset: QuerySet[Any], field: str, symbol: str) -> QuerySet[Any]:
        # Looked up first: joined to a name, the database cannot tell how many rows match, and reads all of them.
        keys = list(Instrument.objects.filter(symbol=symbol.upper()).values_list("pk", flat=True))
        if not keys:
            raise UnknownName(
                f"Unknown symbol {symbol!r}.",
                remedy="GET /api/v1/instruments lists them, as BASE/QUOTE.",
                code="unknown_symbol",
                field="symbol",
            )
        return queryset.filter(**{f"{field}__in": keys})

    @staticmethod
    def by_strategy(queryset: QuerySet[Any], field: str, name: str) -> QuerySet[Any]:
        keys = list(Strategy.objects.filter(name=name).values_list("pk", flat=True))
        return queryset.filter(**{f"{field}__in": keys})


def account_filter(field: str = "account") -> django_filters.CharFilter:
    return django_filters.CharFilter(field_name=field, method=RowFilter.by_account, help_text="Its name.")


def symbol_filter(field: str = "instrument") -> django_filters.CharFilter:
    return django_filters.CharFilter(field_name=field, method=RowFilter.by_symbol, help_text="BASE/QUOTE.")


def strategy_filter(field: str = "strategy") -> django_filters.CharFilter:
    return django_filters.CharFilter(field_name=field, method=RowFilter.by_strategy, help_text="Its name.")


class InstantField(IsoDateTimeField):  # type: ignore[misc]
    """An instant in UTC, of a year that every column and every offset can express."""

    default_error_messages = {"invalid": "Use ISO-8601 with a time zone, such as 2026-01-31T12:00:00Z."}

    def clean(self, value: Any) -> datetime | None:
        try:
            found: datetime | None = super().clean(value)
            instant = found.astimezone(UTC) if found else None
        except OverflowError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if instant is not None and instant.year not in _YEARS:
            raise ValidationError(f"Use a year from {_YEARS[0]} to {_YEARS[-1]}.", code="invalid")
        return instant


class InstantFilter(django_filters.IsoDateTimeFilter):  # type: ignore[misc]
    field_class = InstantField


def since_filter(field: str) -> InstantFilter:
    return InstantFilter(field_name=field, lookup_expr="gte", help_text="At or after, ISO-8601.")


def until_filter(field: str) -> InstantFilter:
    return InstantFilter(field_name=field, lookup_expr="lt", help_text="Before, ISO-8601.")
