"""The audit trail: query, verification and export. Read-only; one verification or export at a time per process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import django_filters
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from trading.audit import export_entries, verify
from trading.models import AuditEntry
from trading.queries.audit_span import within_ids

from .endpoint import Endpoint, ListEndpoint
from .fields import RowSerializer
from .filters import RowFilter, since_filter, until_filter

CONTENT_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_RETRY_SECONDS = 5
_busy = threading.Lock()


class AuditRow(RowSerializer):
    data = serializers.DictField(read_only=True)  # type: ignore[assignment]

    class Meta:
        model = AuditEntry
        fields = (
            "id",
            "at",
            "kind",
            "actor",
            "object_type",
            "object_id",
            "request_id",
            "data",
            "stream",
            "sequence",
            "previous_hash",
            "hash",
        )


class AuditFilter(RowFilter):
    actor = django_filters.CharFilter(help_text="Such as operator:anna or client:bot-1.")
    kind = django_filters.CharFilter(
        method="by_kind", help_text="Such as order.filled; order. asks for the family."
    )
    object_type = django_filters.CharFilter()
    object_id = django_filters.CharFilter()
    request_id = django_filters.CharFilter()
    at_after = since_filter("at")
    at_before = until_filter("at")

    class Meta:
        model = AuditEntry
        fields: tuple[str, ...] = ()

    def by_kind(self, queryset: Any, field: str, kind: str) -> Any:
        return queryset.filter(kind__startswith=kind) if kind.endswith(".") else queryset.filter(kind=kind)


class AuditListFilter(AuditFilter):
    def filter_queryset(self, queryset: Any) -> Any:
        given = self.form.cleaned_data
        return within_ids(super().filter_queryset(queryset), given["at_after"], given["at_before"])


class AuditView(ListEndpoint):
    """Audit entries, the newest first."""

    needs = {"GET": "trading.view_auditentry"}
    queryset = AuditEntry.objects.all()
    serializer_class = AuditRow
    filterset_class = AuditListFilter
    keyset = ("-id",)


def claim_turn() -> None:
    if not _busy.acquire(blocking=False):
        raise Throttled(_RETRY_SECONDS)


class AuditReportAnswer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    entries = serializers.IntegerField()
    streams = serializers.IntegerField()
    checkpoints = serializers.IntegerField()
    sealed_entries = serializers.IntegerField(help_text="Entries under a checkpoint.")
    anchors = serializers.IntegerField()
    since_checkpoint = serializers.IntegerField()
    last_checkpoint = serializers.IntegerField()
    kinds = serializers.DictField(
        child=serializers.IntegerField(), help_text="How often each kind of damage was met."
    )
    damages = serializers.ListField(
        child=serializers.DictField(),
        help_text="The first of each chain, and of each kind about checkpoints.",
    )
    notes = serializers.ListField(child=serializers.CharField())


class AuditVerifyView(Endpoint):
    """Chains, checkpoints, signatures and anchors. Answers 200 also when damage is found: read `ok`."""

    needs = {"GET": "trading.verify_audit"}
    buckets = {"GET": "expensive"}

    @extend_schema(operation_id="audit_verify", summary="Verify the whole trail", responses=AuditReportAnswer)
    def get(self, request: Request) -> Response:
        claim_turn()
        try:
            return Response(verify().as_dict())
        finally:
            _busy.release()


class Turn:
    """The rows of an export; gives the turn back when the answer is closed, also after a broken connection."""

    def __init__(self, rows: Iterator[str]) -> None:
        self._rows = rows
        self._is_open = True

    def __iter__(self) -> Iterator[str]:
        return self._rows

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            _busy.release()


class AuditExportView(ListEndpoint):
    """Streams; oldest first. CSV cells that a spreadsheet would run as a formula are made harmless."""

    needs = {"GET": "trading.export_audit"}
    buckets = {"GET": "expensive"}
    queryset = AuditEntry.objects.all()
    filterset_class = AuditFilter
    serializer_class = AuditRow
    pagination_class = None
    extra_parameters = ("format",)

    @extend_schema(
        operation_id="audit_export",
        summary="Export as NDJSON or CSV",
        parameters=[
            OpenApiParameter("format", str, enum=sorted(CONTENT_TYPES), description="Default: ndjson.")
        ],
        responses={
            (200, "application/x-ndjson"): OpenApiResponse(OpenApiTypes.STR, "One entry per line."),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "For spreadsheets."),
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        format_name = request.query_params.get("format", "ndjson")
        rows = export_entries(self.filter_queryset(self.get_queryset()), format_name)
        claim_turn()
        response = StreamingHttpResponse(Turn(rows), content_type=CONTENT_TYPES[format_name])
        response["Content-Disposition"] = f'attachment; filename="audit.{format_name}"'
        return response
