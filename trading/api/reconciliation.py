"""What syncs found: each run, every difference between the venue and our books, and the ledger both are about.

The verbs on a break are in `execution.breaks` and `execution.adjustments`.
"""

from __future__ import annotations

from uuid import UUID

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import ApprovalKind
from trading.execution.adjustments import adjustment_payload, describe_adjustment, parse_numbers
from trading.execution.approvals import act_or_propose
from trading.execution.breaks import acknowledge_break, get_break
from trading.models import (
    ApprovalRequest,
    Break,
    BreakKind,
    BreakState,
    Movement,
    MovementKind,
    SyncRun,
)

from .approval_rows import ApprovalRow
from .checked import StrictSerializer, check_body
from .endpoint import Endpoint, ListEndpoint
from .errors import NotFound
from .fields import RowSerializer, name_field
from .filters import RowFilter, account_filter, since_filter, until_filter, words_filter
from .live import MAX_REASON, read_reason


class SyncRunRow(RowSerializer):
    account = name_field("account.name")

    class Meta:
        model = SyncRun
        fields = (
            "id",
            "account",
            "trigger",
            "started_at",
            "finished_at",
            "is_complete",
            "error",
            "fills_booked",
            "orders_updated",
            "breaks_open",
            "balances",
        )


class SyncRunFilter(RowFilter):
    account = account_filter()
    is_complete = django_filters.BooleanFilter()
    started_after = since_filter("started_at")
    started_before = until_filter("started_at")

    class Meta:
        model = SyncRun
        fields: tuple[str, ...] = ()


class ReconciliationsView(ListEndpoint):
    """Portfolio syncs, the newest first."""

    needs = {"GET": "trading.view_syncrun"}
    queryset = SyncRun.objects.select_related("account")
    serializer_class = SyncRunRow
    filterset_class = SyncRunFilter
    keyset = ("-started_at", "-id")


class BreakRow(RowSerializer):
    account = name_field("account.name")
    detail = serializers.DictField(read_only=True)
    resolution = serializers.CharField(
        read_only=True, help_text="gone, explained, adjusted or accepted; empty while it is open."
    )

    class Meta:
        model = Break
        fields = (
            "id",
            "account",
            "kind",
            "subject",
            "ours",
            "theirs",
            "detail",
            "state",
            "owner",
            "since",
            "last_seen_at",
            "resolved_at",
            "resolution",
            "reason",
            "seen_count",
            "symbol",
            "value",
            "is_beyond",
        )


class BreakFilter(RowFilter):
    account = account_filter()
    kind = words_filter("kind", BreakKind.choices)
    state = words_filter("state", BreakState.choices)
    subject = django_filters.CharFilter()
    since_after = since_filter("since")
    since_before = until_filter("since")

    class Meta:
        model = Break
        fields: tuple[str, ...] = ()


class BreaksView(ListEndpoint):
    """Differences between the venue and our books."""

    needs = {"GET": "trading.view_break"}
    queryset = Break.objects.select_related("account")
    serializer_class = BreakRow
    filterset_class = BreakFilter
    keyset = ("-since", "-id")


class BreakReasonBody(StrictSerializer):
    reason = serializers.CharField(max_length=MAX_REASON)


class AdjustBody(BreakReasonBody):
    ours = serializers.CharField(
        required=False, allow_null=True, help_text="The number you saw; refused if stale."
    )
    theirs = serializers.CharField(required=False, allow_null=True, max_length=64)


def read_break_id(name: str) -> UUID:
    try:
        return UUID(name)
    except ValueError:
        raise NotFound(f"{name[:60]!r} is no id of a break.") from None


class BreakAcknowledgeView(Endpoint):
    needs = {"POST": "trading.acknowledge_break"}

    @extend_schema(
        operation_id="breaks_acknowledge",
        summary="Take ownership of a break",
        request=BreakReasonBody,
        responses=BreakRow,
    )
    def post(self, request: Request, name: str) -> Response:
        body = check_body(BreakReasonBody, request)
        row = acknowledge_break(read_break_id(name), reason=read_reason(body["reason"]), actor=self.actor)
        return Response(BreakRow(row).data)


class BreakAdjustView(Endpoint):
    needs = {"POST": "trading.adjust_break"}

    @extend_schema(
        operation_id="breaks_adjust",
        summary="Close a break by moving our books; in production: ask a second person to",
        request=AdjustBody,
        responses={200: BreakRow, 202: ApprovalRow},
    )
    def post(self, request: Request, name: str) -> Response:
        body = check_body(AdjustBody, request)
        row = get_break(read_break_id(name))
        parse_numbers(row, body.get("ours"), body.get("theirs"))
        done = act_or_propose(
            ApprovalKind.ADJUSTMENT,
            adjustment_payload(row),
            subject=describe_adjustment(row),
            reason=read_reason(body["reason"]),
            actor=self.actor,
        )
        if isinstance(done, ApprovalRequest):
            return Response(ApprovalRow(done).data, status=202)
        return Response(BreakRow(done).data)


class MovementRow(RowSerializer):
    account = name_field("account.name")

    class Meta:
        model = Movement
        fields = ("id", "account", "asset", "kind", "quantity", "value", "at", "booked_at", "reference")


class MovementFilter(RowFilter):
    account = account_filter()
    asset = django_filters.CharFilter(lookup_expr="iexact")
    kind = words_filter("kind", MovementKind.choices)
    reference = django_filters.CharFilter()
    booked_after = since_filter("booked_at")
    booked_before = until_filter("booked_at")

    class Meta:
        model = Movement
        fields: tuple[str, ...] = ()


class MovementsView(ListEndpoint):
    """The ledger: everything that ever changed an asset of ours, the newest first."""

    needs = {"GET": "trading.view_movement"}
    queryset = Movement.objects.select_related("account")
    serializer_class = MovementRow
    filterset_class = MovementFilter
    keyset = ("-id",)
