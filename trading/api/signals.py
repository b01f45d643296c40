"""Signals: the way in for strategies and bots. The verb is `execution.intake.submit`; here are only HTTP's parts.

A repeat of an idempotency key gets the stored answer, with 201 and the header `Idempotent-Replayed: true`. A denial is
an answer too (201, decision "denied"): the signal was taken in and judged.
"""

from __future__ import annotations

from typing import Any

import django_filters
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import OrderOrigin, OrderType, Side, TimeInForce
from trading.execution.intake import submit
from trading.models import Signal
from trading.models.columns import choices

from .checked import body_of
from .endpoint import Endpoint, ListEndpoint
from .fields import AskedNumber, PlainNumber, RowSerializer, name_field
from .filters import RowFilter, since_filter, strategy_filter, until_filter
from .told import Told, fields_of

REPLAYED = "Idempotent-Replayed"


class SignalBody(serializers.Serializer[Any]):
    """For the schema only: intake reads the body itself, and is stricter than a schema can say."""

    source_id = serializers.CharField(required=False, help_text="Idempotency key, if the header is not sent.")
    symbol = serializers.CharField(help_text="BASE/QUOTE, such as BTC/USDT.")
    side = serializers.ChoiceField(choices=choices(Side))
    quantity = AskedNumber(required=False, help_text="Base units.")
    quote_quantity = AskedNumber(
        required=False, help_text="Quote units, instead of quantity; market orders only."
    )
    order_type = serializers.ChoiceField(
        choices=choices(OrderType), required=False, help_text="LIMIT with a price, else MARKET."
    )
    price = AskedNumber(required=False)
    time_in_force = serializers.ChoiceField(choices=choices(TimeInForce), required=False)
    reduce_only = serializers.BooleanField(required=False)
    last_price = AskedNumber(
        required=False, help_text="The price the signal was based on; compared with ours."
    )
    account = serializers.CharField(required=False, help_text="Its name; left out: the default account.")
    strategy = serializers.CharField(required=False)
    sent_at = serializers.DateTimeField(required=False, help_text="Refused when in the future or too old.")


class CheckAnswer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    code = serializers.CharField()
    passed = serializers.BooleanField()
    observed = serializers.CharField(allow_blank=True)
    limit = serializers.CharField(allow_blank=True)
    age_seconds = serializers.CharField(
        allow_blank=True, help_text="Of what was looked at; empty where no age counts."
    )
    note = serializers.CharField(allow_blank=True)
    source = serializers.CharField(
        allow_blank=True, required=False, help_text="Scope and version whose limit bound."
    )
    explanation = serializers.CharField()


class AppliedLimits(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    scope = serializers.CharField()
    target = serializers.CharField(allow_blank=True)


class DecisionAnswer(serializers.Serializer[Any]):
    signal_id = serializers.UUIDField()
    order_id = serializers.UUIDField()
    client_order_id = serializers.CharField()
    decision = serializers.ChoiceField(choices=("approved", "denied"))
    codes = serializers.ListField(
        child=serializers.CharField(), help_text="Denial codes; empty when approved."
    )
    checks = CheckAnswer(many=True)
    status = serializers.CharField(help_text="Of the order when it was decided.")
    mode = serializers.CharField(help_text="paper, testnet or production.")
    account = serializers.CharField()
    symbol = serializers.CharField()
    side = serializers.CharField()
    order_type = serializers.CharField()
    time_in_force = serializers.CharField()
    quantity = PlainNumber(allow_null=True, help_text="After rounding to the lot.")
    quote_quantity = PlainNumber(allow_null=True)
    price = PlainNumber(allow_null=True, help_text="After rounding to the tick.")
    asked_quantity = PlainNumber(allow_null=True)
    asked_price = PlainNumber(allow_null=True)
    reduce_only = serializers.BooleanField()
    strategy = serializers.CharField(allow_null=True)
    limits_version = serializers.IntegerField(allow_null=True, help_text="The version for everything.")
    limits = AppliedLimits(many=True, required=False, help_text="Every version that judged it.")
    epoch = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField()


IDEMPOTENT = [
    OpenApiParameter(
        "Idempotency-Key",
        str,
        OpenApiParameter.HEADER,
        description="A new value per new request, at most 200 printable characters; or send source_id.",
    )
]
TAKEN = {
    201: OpenApiResponse(
        DecisionAnswer, "Decided now, or (Idempotent-Replayed: true) the answer given before."
    )
}


TOLD = Told(
    order=fields_of(DecisionAnswer),
    lists={"checks": fields_of(CheckAnswer), "limits": fields_of(AppliedLimits)},
    times=("expires_at", "received_at"),
)


def take_in(view: Endpoint | ListEndpoint, request: Request, origin: OrderOrigin) -> Response:
    key = request.headers.get("Idempotency-Key")
    taken = submit(body_of(request), actor=view.actor, key=key, origin=origin)
    headers = {REPLAYED: "true"} if taken.repeated else {}
    return Response(TOLD.tell(taken.answer), status=201, headers=headers)


class SignalRow(RowSerializer):
    order_id = serializers.UUIDField(source="order.id", read_only=True, default=None, allow_null=True)
    strategy = name_field("strategy.name", default=None, allow_null=True)
    body = serializers.DictField(read_only=True)
    answer = serializers.DictField(read_only=True, allow_null=True)

    class Meta:
        model = Signal
        fields = (
            "id",
            "source",
            "key",
            "actor",
            "strategy",
            "order_id",
            "request_id",
            "body",
            "answer",
            "received_at",
        )


class SignalFilter(RowFilter):
    key = django_filters.CharFilter()
    source = django_filters.CharFilter()
    strategy = strategy_filter()
    received_after = since_filter("received_at")
    received_before = until_filter("received_at")

    class Meta:
        model = Signal
        fields: tuple[str, ...] = ()


class SignalsView(ListEndpoint):
    """Signals as they came in, with the answers they got."""

    needs = {"GET": "trading.view_signal", "POST": "trading.place_order"}
    buckets = {"POST": "order"}
    max_body_bytes = 64 * 1024
    queryset = Signal.objects.select_related("strategy", "order")
    serializer_class = SignalRow
    filterset_class = SignalFilter
    keyset = ("-received_at", "-id")

    @extend_schema(
        operation_id="signals_create",
        summary="Post a signal",
        parameters=IDEMPOTENT,
        request=SignalBody,
        responses=TAKEN,
        filters=False,
    )
    def post(self, request: Request) -> Response:
        return take_in(self, request, OrderOrigin.SIGNAL)
