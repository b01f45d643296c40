"""Risk limits: what is in force, every earlier version, and a new version by PUT.

A PUT names only what changes; everything else is taken over. Nothing is overwritten: the new version stands beside the
old ones, with who and why.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.errors import InvalidInput
from trading.execution.limit_changes import change_limits
from trading.models import LimitsVersion
from trading.queries.limits import limits_in_force

from .checked import body_of, refuse_unknown_keys
from .endpoint import ListEndpoint
from .fields import AskedNumber, RowSerializer
from .filters import RowFilter, since_filter, until_filter
from .live import MAX_REASON, read_reason


class LimitsRow(RowSerializer):
    allowed_symbols = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)

    class Meta:
        model = LimitsVersion
        fields = ("version", "effective_at", "reason", "actor", "created_at", *LimitsVersion.LIMIT_FIELDS)


class LimitsAnswer(serializers.Serializer[Any]):
    current = LimitsRow(allow_null=True)
    results = LimitsRow(many=True, help_text="All versions, the newest first.")
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class LimitsBody(serializers.Serializer[Any]):
    """For the schema; `execution.limit_changes` reads the values. null means: no limit."""

    reason = serializers.CharField(max_length=MAX_REASON)
    max_order_notional = AskedNumber(required=False, allow_null=True)
    price_collar_pct = AskedNumber(required=False, allow_null=True)
    max_price_age_seconds = AskedNumber(required=False)
    max_balance_age_seconds = AskedNumber(required=False)
    exposure_limit_symbol = AskedNumber(required=False, allow_null=True)
    exposure_limit_total = AskedNumber(required=False, allow_null=True)
    kill_threshold_usd = AskedNumber(required=False, allow_null=True)
    max_concurrent_positions = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    max_open_orders = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    max_orders_per_minute = serializers.IntegerField(required=False, allow_null=True, min_value=0)
    duplicate_window_seconds = AskedNumber(required=False)
    max_daily_loss_pct = AskedNumber(required=False, allow_null=True)
    allowed_symbols = serializers.ListField(child=serializers.CharField(), required=False, allow_null=True)


class LimitsFilter(RowFilter):
    created_after = since_filter("created_at")
    created_before = until_filter("created_at")

    class Meta:
        model = LimitsVersion
        fields: tuple[str, ...] = ()


class LimitsView(ListEndpoint):
    needs = {"GET": "trading.view_limitsversion", "PUT": "trading.add_limitsversion"}
    queryset = LimitsVersion.objects.all()
    serializer_class = LimitsRow
    filterset_class = LimitsFilter
    keyset = ("-version",)

    @extend_schema(
        operation_id="limits_list",
        summary="Limits in force and their history",
        responses=forced_singular_serializer(LimitsAnswer),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer = super().get(request, *args, **kwargs)
        current = limits_in_force()
        return Response({"current": LimitsRow(current).data if current else None, **answer.data})

    @extend_schema(
        operation_id="limits_change",
        summary="Put a new version in force",
        request=LimitsBody,
        responses=LimitsRow,
        filters=False,
    )
    def put(self, request: Request) -> Response:
        changes = body_of(request)
        refuse_unknown_keys(changes, ("reason", *LimitsVersion.LIMIT_FIELDS))
        reason = read_reason(changes.pop("reason", None))
        if not changes:
            raise InvalidInput(
                "No limit is named.",
                remedy=f"Send one or more of {', '.join(LimitsVersion.LIMIT_FIELDS)}.",
                field="body",
            )
        version = change_limits(changes, reason=reason, actor=self.actor)
        return Response(LimitsRow(version).data)
