"""Fills as they were booked, and decisions as they were recorded: read-only history."""

from __future__ import annotations

import django_filters

from trading.domain.enums import Side
from trading.models import Decision, Fill
from trading.models.columns import choices

from .endpoint import ListEndpoint
from .filters import RowFilter, account_filter, since_filter, strategy_filter, symbol_filter, until_filter
from .order_rows import DecisionRow, FillRow


class FillFilter(RowFilter):
    account = account_filter()
    symbol = symbol_filter()
    side = django_filters.ChoiceFilter(choices=choices(Side))
    order_id = django_filters.UUIDFilter(field_name="order_id")
    client_order_id = django_filters.CharFilter(field_name="order__client_order_id")
    strategy = strategy_filter("order__strategy")
    algo = django_filters.UUIDFilter(
        field_name="order__algo_child__algo", help_text="The id of its order's parent."
    )
    filled_after = since_filter("filled_at")
    filled_before = until_filter("filled_at")

    class Meta:
        model = Fill
        fields: tuple[str, ...] = ()


class FillsView(ListEndpoint):
    """Fills as they were booked, the newest first."""

    needs = {"GET": "trading.view_fill"}
    queryset = Fill.objects.select_related("account", "instrument", "order")
    serializer_class = FillRow
    filterset_class = FillFilter
    keyset = ("-filled_at", "-id")


class DecisionFilter(RowFilter):
    account = account_filter("order__account")
    symbol = symbol_filter("order__instrument")
    allowed = django_filters.BooleanFilter()
    code = django_filters.CharFilter(
        field_name="codes", lookup_expr="contains", help_text="A denial code that must be among the codes."
    )
    order_id = django_filters.UUIDFilter(field_name="order_id")
    strategy = strategy_filter("order__strategy")
    at_after = since_filter("at")
    at_before = until_filter("at")

    class Meta:
        model = Decision
        fields: tuple[str, ...] = ()


class DecisionsView(ListEndpoint):
    """Why each order was approved or denied: every check with what it saw."""

    needs = {"GET": "trading.view_decision"}
    queryset = Decision.objects.select_related("order", "order__account", "order__instrument")
    serializer_class = DecisionRow
    filterset_class = DecisionFilter
    keyset = ("-at", "-id")
