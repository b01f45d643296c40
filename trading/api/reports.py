"""Daily reports: made by the clock or by a person who asks for one, read and signed."""

from __future__ import annotations

from datetime import date

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.execution.daily_reports import MAX_NOTE, make_report, sign_report, write_report_files
from trading.models import DailyReport

from .checked import StrictSerializer, check_body
from .endpoint import Endpoint, ListEndpoint
from .errors import NotFound
from .fields import RowSerializer


class ReportRow(RowSerializer):
    content = serializers.DictField(read_only=True)

    class Meta:
        model = DailyReport
        fields = ("day", "created_at", "content", "digest", "signed_by", "signed_at", "note")


class MakeBody(StrictSerializer):
    day = serializers.DateField(help_text="The trading day, such as 2026-01-31: today's or an earlier one.")


class ReportsView(ListEndpoint):
    """The newest day first."""

    needs = {"GET": "trading.view_dailyreport", "POST": "trading.sign_report"}
    queryset = DailyReport.objects.all()
    serializer_class = ReportRow
    keyset = ("-day",)

    @extend_schema(
        operation_id="reports_make",
        summary="Make a daily report, or make it anew until it is signed",
        request=MakeBody,
        responses=ReportRow,
    )
    def post(self, request: Request) -> Response:
        row = make_report(check_body(MakeBody, request)["day"], actor=self.actor)
        write_report_files(row)
        return Response(ReportRow(row).data)


class SignBody(StrictSerializer):
    digest = serializers.CharField(max_length=64, help_text="Of the report you have read.")
    note = serializers.CharField(max_length=MAX_NOTE, required=False, allow_blank=True)


class ReportSignView(Endpoint):
    needs = {"POST": "trading.sign_report"}

    @extend_schema(
        operation_id="reports_sign", summary="Sign a daily report", request=SignBody, responses=ReportRow
    )
    def post(self, request: Request, name: str) -> Response:
        body = check_body(SignBody, request)
        try:
            day = date.fromisoformat(name)
        except ValueError:
            raise NotFound(f"{name[:40]!r} is no day; write 2026-01-31.") from None
        row = sign_report(day, digest=body["digest"], note=body.get("note") or "", actor=self.actor)
        write_report_files(row)
        return Response(ReportRow(row).data)
