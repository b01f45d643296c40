"""How the limits and the automatic halts stand now: use in percent, and what each trigger last saw."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.money import plain
from trading.queries.triggers import read_triggers
from trading.queries.utilisation import UseRow, read_utilisation

from .endpoint import Endpoint


class UseAnswer(serializers.Serializer[Any]):
    """`used` and `share_pct` are null where it cannot be told."""

    limit = serializers.CharField()
    scope = serializers.CharField()
    target = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    subject = serializers.CharField(allow_blank=True, help_text="The symbol or strategy that uses most.")
    unit = serializers.CharField()
    used = serializers.CharField(allow_null=True)
    maximum = serializers.CharField()
    share_pct = serializers.CharField(allow_null=True, help_text="Percent of the limit, two decimals.")
    band = serializers.IntegerField(help_text="0, 50, 75, 90 or 100: the highest that is reached.")


class UtilisationAnswer(serializers.Serializer[Any]):
    results = UseAnswer(many=True, help_text="The fullest first.")


class TriggerAnswer(serializers.Serializer[Any]):
    trigger = serializers.CharField()
    scope = serializers.CharField()
    target = serializers.CharField(allow_blank=True)
    verdict = serializers.CharField(help_text="over, near, clear, unknown, off, or silent: it does not run.")
    observed = serializers.CharField(allow_blank=True)
    limit = serializers.CharField(allow_blank=True)
    unit = serializers.CharField()
    action = serializers.CharField()
    evaluated_at = serializers.DateTimeField(allow_null=True)
    fired_at = serializers.DateTimeField(allow_null=True)
    is_armed = serializers.BooleanField()
    resting_until = serializers.DateTimeField(allow_null=True, help_text="Its cool-down; never a release.")
    looks = serializers.ListField(
        child=serializers.CharField(), help_text="The last verdicts, the newest last."
    )


class TriggersAnswer(serializers.Serializer[Any]):
    results = TriggerAnswer(many=True)


def use_record(row: UseRow) -> dict[str, Any]:
    names = ("limit", "scope", "target", "version", "subject", "unit", "band")
    return {
        **{name: getattr(row, name) for name in names},
        "used": None if row.used is None else plain(row.used),
        "maximum": plain(row.maximum),
        "share_pct": None if row.share_pct is None else f"{row.share_pct:.2f}",
    }


class UtilisationView(Endpoint):
    needs = {"GET": "trading.view_limitsversion"}

    @extend_schema(
        operation_id="limits_utilisation",
        summary="How much of every limit is in use now",
        responses=UtilisationAnswer,
    )
    def get(self, request: Request) -> Response:
        return Response({"results": [use_record(row) for row in read_utilisation()]})


class TriggersView(Endpoint):
    needs = {"GET": "trading.view_haltstate"}

    @extend_schema(
        operation_id="limits_triggers",
        summary="What every automatic halt last saw",
        responses=TriggersAnswer,
    )
    def get(self, request: Request) -> Response:
        rows = [TriggerAnswer(asdict(row)).data for row in read_triggers()]
        return Response({"results": rows})
