"""Orders: list, the story of one, new explicit orders and cancels.

An order is named by our id, by its client_order_id or by the venue's id. A cancel is a request: the order keeps its
status until the venue says otherwise, hence 202.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import CancelScope, CancelState, OrderOrigin, OrderStatus, OrderType, Side
from trading.execution.cancellation import cancel_all, request_cancel
from trading.models import Order
from trading.models.columns import choices

from .checked import StrictSerializer, check_body
from .endpoint import Endpoint, ListEndpoint
from .errors import NotFound
from .filters import (
    RowFilter,
    account_filter,
    since_filter,
    strategy_filter,
    symbol_filter,
    until_filter,
    words_filter,
)
from .order_rows import OrderRow, OrderStory, tell_story
from .signals import IDEMPOTENT, TAKEN, SignalBody, take_in

RELATED = ("account", "instrument", "strategy", "algo_child")
ORDER_NAME = OpenApiParameter(
    "name", str, OpenApiParameter.PATH, description="The order's id, client_order_id or exchange_order_id."
)


class OrderFilter(RowFilter):
    account = account_filter()
    symbol = symbol_filter()
    status = words_filter("status", choices(OrderStatus))
    side = django_filters.ChoiceFilter(choices=choices(Side))
    order_type = words_filter("order_type", choices(OrderType))
    origin = words_filter("origin", choices(OrderOrigin))
    cancel_state = words_filter("cancel_state", choices(CancelState))
    strategy = strategy_filter()
    algo = django_filters.UUIDFilter(field_name="algo_child__algo", help_text="The id of the parent.")
    client_order_id = django_filters.CharFilter()
    exchange_order_id = django_filters.CharFilter()
    actor = django_filters.CharFilter()
    request_id = django_filters.CharFilter()
    created_after = since_filter("created_at")
    created_before = until_filter("created_at")
    updated_after = since_filter("updated_at")

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()


def find_orders(name: str) -> QuerySet[Order]:
    """The orders this name may mean: at most one by our own ids, more where two venues use the same id."""
    try:
        return Order.objects.filter(pk=UUID(name))
    except ValueError:
        return Order.objects.filter(Q(client_order_id=name) | Q(exchange_order_id=name))


def get_order(name: str, queryset: QuerySet[Order] | None = None) -> Order:
    found = list((queryset if queryset is not None else find_orders(name))[:2])
    if not found:
        raise NotFound(
            f"There is no order {name[:80]!r}.", remedy="GET /api/v1/orders lists them.", order=name[:80]
        )
    if len(found) > 1:
        raise NotFound(
            f"Several orders are called {name[:80]!r}.",
            code="ambiguous_name",
            remedy="Use the order's own id.",
        )
    return found[0]


class OrdersView(ListEndpoint):
    """Orders, the newest first."""

    needs = {"GET": "trading.view_order", "POST": "trading.place_order"}
    buckets = {"POST": "order"}
    max_body_bytes = 64 * 1024
    queryset = Order.objects.select_related(*RELATED)
    serializer_class = OrderRow
    filterset_class = OrderFilter
    keyset = ("-created_at", "-id")

    @extend_schema(
        operation_id="orders_create",
        summary="Place an explicit order",
        parameters=IDEMPOTENT,
        request=SignalBody,
        responses=TAKEN,
        filters=False,
    )
    def post(self, request: Request) -> Response:
        return take_in(self, request, OrderOrigin.API)


class SingleOrderView(Endpoint):
    needs = {"GET": "trading.view_order"}

    @extend_schema(
        operation_id="orders_retrieve",
        summary="One order with decision, fills and events",
        parameters=[ORDER_NAME],
        responses=OrderStory,
    )
    def get(self, request: Request, name: str) -> Response:
        queryset = find_orders(name).select_related(
            *RELATED, "decision", "decision__order__account", "decision__order__instrument"
        )
        return Response(tell_story(get_order(name, queryset)))


class OrderCancelView(Endpoint):
    needs = {"POST": "trading.cancel_order"}
    buckets = {"POST": "order"}

    @extend_schema(
        operation_id="orders_cancel",
        summary="Ask the venue to cancel one order",
        parameters=[ORDER_NAME],
        request=None,
        responses={202: OrderRow},
    )
    def post(self, request: Request, name: str) -> Response:
        check_body(StrictSerializer, request)
        order = request_cancel(get_order(name).pk, actor=self.actor)
        return Response(OrderRow(Order.objects.select_related(*RELATED).get(pk=order.pk)).data, status=202)


class CancelAllBody(StrictSerializer):
    scope = serializers.ChoiceField(choices=choices(CancelScope), default=CancelScope.OURS.value)
    account = serializers.CharField(
        required=False, allow_null=True, max_length=60, help_text="Its name; empty: all."
    )
    symbol = serializers.CharField(
        required=False, allow_null=True, max_length=60, help_text="BASE/QUOTE; empty: all."
    )


class CancelAllAnswer(serializers.Serializer[Any]):
    scope = serializers.CharField()
    requested = serializers.IntegerField(help_text="Orders a cancel was requested for.")
    orders = serializers.ListField(child=serializers.CharField())
    venue = serializers.ListField(
        child=serializers.DictField(), help_text="What the venue was asked for as a whole."
    )
    algos = serializers.ListField(
        child=serializers.CharField(), help_text="Algos that were canceled with them."
    )
    algos_not_stopped = serializers.ListField(
        child=serializers.CharField(), help_text="Held by somebody for too long: cancel them by themselves."
    )


class CancelAllView(Endpoint):
    """`ours` cancels what Levi placed; `everything` also what others placed on the accounts."""

    needs = {"POST": "trading.cancel_order"}
    buckets = {"POST": "order"}

    @extend_schema(
        operation_id="orders_cancel_all",
        summary="Cancel all open orders",
        request=CancelAllBody,
        responses={202: CancelAllAnswer},
    )
    def post(self, request: Request) -> Response:
        body = check_body(CancelAllBody, request)
        answer = cancel_all(
            CancelScope(body["scope"]),
            account=body.get("account") or None,
            symbol=(body.get("symbol") or "").upper() or None,
            actor=self.actor,
        )
        return Response(answer, status=202)
