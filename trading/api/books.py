"""The books: positions, balances, equity and the instruments they are in. Read-only; fills and syncs move them."""

from __future__ import annotations

from typing import Any

import django_filters
from rest_framework import serializers

from trading.domain.enums import Environment, VenueName
from trading.domain.money import multiply, plain
from trading.models import Balance, EquitySnapshot, Instrument, Position
from trading.models.columns import choices

from .endpoint import ListEndpoint
from .fields import PlainNumber, RowSerializer, name_field
from .filters import RowFilter, account_filter, since_filter, symbol_filter, until_filter


class PositionRowOut(RowSerializer):
    """Worth at the last price, where there is one."""

    account = name_field("account.name")
    symbol = name_field("instrument.symbol")
    last_price = PlainNumber(source="instrument.quote.last", default=None, allow_null=True)
    price_at = serializers.DateTimeField(
        source="instrument.quote.received_at", read_only=True, default=None, allow_null=True
    )
    notional = serializers.SerializerMethodField(help_text="In quote units, without a sign.")
    unrealized_pnl = serializers.SerializerMethodField()
    fees = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Position
        fields = (
            "id",
            "account",
            "symbol",
            "quantity",
            "average_price",
            "last_price",
            "price_at",
            "notional",
            "unrealized_pnl",
            "realized_pnl",
            "fees",
            "updated_at",
        )

    def get_notional(self, row: Position) -> str | None:
        quote = getattr(row.instrument, "quote", None)
        return plain(multiply(abs(row.quantity), quote.last)) if quote else None

    def get_unrealized_pnl(self, row: Position) -> str | None:
        quote = getattr(row.instrument, "quote", None)
        return plain(row.as_state().unrealized_pnl(quote.last)) if quote else None


class PositionFilter(RowFilter):
    account = account_filter()
    symbol = symbol_filter()
    is_open = django_filters.BooleanFilter(
        field_name="quantity",
        lookup_expr="exact",
        method="by_open",
        help_text="true: only those that are not zero.",
    )

    class Meta:
        model = Position
        fields: tuple[str, ...] = ()

    def by_open(self, queryset: Any, field: str, wanted: bool) -> Any:
        return queryset.exclude(quantity=0) if wanted else queryset.filter(quantity=0)


class PositionsView(ListEndpoint):
    """What the fills add up to, per account and symbol."""

    needs = {"GET": "trading.view_position"}
    queryset = Position.objects.select_related("account", "instrument", "instrument__quote")
    serializer_class = PositionRowOut
    filterset_class = PositionFilter
    keyset = ("id",)


class BalanceRow(RowSerializer):
    account = name_field("account.name")

    class Meta:
        model = Balance
        fields = ("id", "account", "asset", "free", "locked", "booked", "drift", "observed_at")


class BalanceFilter(RowFilter):
    account = account_filter()
    asset = django_filters.CharFilter(lookup_expr="iexact")

    class Meta:
        model = Balance
        fields: tuple[str, ...] = ()


class BalancesView(ListEndpoint):
    """Each asset: free + locked = booked (the sum of its movements) + drift (what an open break names)."""

    needs = {"GET": "trading.view_balance"}
    queryset = Balance.objects.select_related("account")
    serializer_class = BalanceRow
    filterset_class = BalanceFilter
    keyset = ("id",)


class EquitySnapshotRow(RowSerializer):
    account = name_field("account.name")
    unpriced = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = EquitySnapshot
        fields = (
            "id",
            "account",
            "at",
            "equity",
            "cash",
            "positions_value",
            "exposure",
            "daily_pnl",
            "transfers",
            "peak",
            "unpriced",
        )


class EquityFilter(RowFilter):
    account = account_filter()
    at_after = since_filter("at")
    at_before = until_filter("at")

    class Meta:
        model = EquitySnapshot
        fields: tuple[str, ...] = ()


class EquityView(ListEndpoint):
    """The accounts valued over time, the newest first."""

    needs = {"GET": "trading.view_equitysnapshot"}
    queryset = EquitySnapshot.objects.select_related("account")
    serializer_class = EquitySnapshotRow
    filterset_class = EquityFilter
    keyset = ("-at", "-id")


class InstrumentRow(RowSerializer):
    last_price = PlainNumber(source="quote.last", default=None, allow_null=True)
    bid = PlainNumber(source="quote.bid", default=None, allow_null=True)
    ask = PlainNumber(source="quote.ask", default=None, allow_null=True)
    price_at = serializers.DateTimeField(
        source="quote.received_at", read_only=True, default=None, allow_null=True
    )
    order_types = serializers.ListField(child=serializers.CharField(), read_only=True)
    sides = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Instrument
        fields = (
            "id",
            "venue",
            "environment",
            "symbol",
            "venue_symbol",
            "base_asset",
            "quote_asset",
            "is_tradable",
            "tick_size",
            "lot_size",
            "min_quantity",
            "max_quantity",
            "min_notional",
            "max_notional",
            "min_notional_market",
            "max_notional_market",
            "order_types",
            "sides",
            "last_price",
            "bid",
            "ask",
            "price_at",
            "synced_at",
        )


class InstrumentFilter(RowFilter):
    symbol = symbol_filter("pk")
    venue = django_filters.ChoiceFilter(choices=choices(VenueName))
    environment = django_filters.ChoiceFilter(choices=choices(Environment))
    base_asset = django_filters.CharFilter(lookup_expr="iexact")
    quote_asset = django_filters.CharFilter(lookup_expr="iexact")
    is_tradable = django_filters.BooleanFilter()

    class Meta:
        model = Instrument
        fields: tuple[str, ...] = ()


class InstrumentsView(ListEndpoint):
    """The rules and last prices of every symbol."""

    needs = {"GET": "trading.view_instrument"}
    queryset = Instrument.objects.select_related("quote")
    serializer_class = InstrumentRow
    filterset_class = InstrumentFilter
    keyset = ("symbol", "id")
