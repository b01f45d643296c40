"""A person's word on a quarantined order. The verb is `execution.resolution`; the venue's word wins over it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import QuarantineVerdict
from trading.execution.resolution import resolve_quarantined
from trading.models.columns import choices

from .checked import StrictSerializer, check_body
from .endpoint import Endpoint
from .live import MAX_REASON, read_reason
from .order_rows import OrderRow
from .orders import ORDER_NAME, get_order


class ResolveBody(StrictSerializer):
    verdict = serializers.ChoiceField(choices=choices(QuarantineVerdict))
    reason = serializers.CharField(max_length=MAX_REASON)
    exchange_order_id = serializers.CharField(
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=80,
        help_text="For `adopt`: the venue's id.",
    )


class OrderResolveView(Endpoint):
    needs = {"POST": "trading.resolve_order"}

    @extend_schema(
        operation_id="orders_resolve",
        summary="Resolve a quarantined order",
        parameters=[ORDER_NAME],
        request=ResolveBody,
        responses=OrderRow,
    )
    def post(self, request: Request, name: str) -> Response:
        body = check_body(ResolveBody, request)
        order = resolve_quarantined(
            get_order(name).pk,
            QuarantineVerdict(body["verdict"]),
            reason=read_reason(body["reason"]),
            exchange_order_id=body.get("exchange_order_id") or "",
            actor=self.actor,
        )
        return Response(OrderRow(order).data)
