"""Risk limits: what is in force, every earlier version, and a new version by PUT.

A PUT names only what changes; everything else is taken over. Nothing is overwritten: the new version stands beside the
old ones, with who and why.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.utils.dateparse import parse_datetime
from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import HaltScope
from trading.domain.errors import InvalidInput
from trading.execution.limit_changes import LimitsChange
from trading.execution.limit_proposals import change_or_propose
from trading.models import ApprovalRequest, LimitsVersion
from trading.models.columns import choices
from trading.queries.limits import EVERYTHING, read_limits, scheduled_versions, versions_in_force
from trading.risk.limit_fields import FIELDS

from .approval_rows import ApprovalRow
from .checked import StrictSerializer, body_of, refuse_unknown_keys
from .endpoint import ListEndpoint
from .fields import AskedNumber, RowSerializer
from .filters import RowFilter, since_filter, until_filter
from .live import MAX_REASON, read_reason

# Beside the limits themselves, what a change may name.
CHANGE_KEYS = ("reason", "scope", "target", "effective_at", "expires_at", "seen_version")
QUESTION = ("at", "account", "symbol", "strategy")


class LimitsRow(RowSerializer):
    allowed_symbols = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)

    class Meta:
        model = LimitsVersion
        fields = (
            "version",
            "scope",
            "target",
            "effective_at",
            "expires_at",
            "reason",
            "actor",
            "approved_by",
            "created_at",
            *LimitsVersion.LIMIT_FIELDS,
        )


class LimitsAnswer(serializers.Serializer[Any]):
    current = LimitsRow(allow_null=True, help_text="For everything, now (or at the instant asked for).")
    applied = LimitsRow(
        many=True, help_text="Every version in force then: of all scopes, or of those of the names given."
    )
    scheduled = LimitsRow(many=True, help_text="Written, and waiting for their time.")
    results = LimitsRow(many=True, help_text="All versions, the newest first.")
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


_KINDS: dict[type, tuple[type[serializers.Field[Any, Any, Any, Any]], dict[str, Any]]] = {
    models.DecimalField: (AskedNumber, {}),
    models.IntegerField: (serializers.IntegerField, {"min_value": 0}),
    models.JSONField: (serializers.ListField, {}),
}


def _asked(name: str) -> serializers.Field[Any, Any, Any, Any]:
    column = LimitsVersion._meta.get_field(name)
    kind, options = _KINDS[type(column)]
    if kind is serializers.ListField:  # a child belongs to one list
        options = {"child": serializers.CharField()}
    return kind(required=False, allow_null=True, help_text=FIELDS[name].meaning, **options)


class LimitsBody(serializers.Serializer[Any]):
    """For the schema; `execution.limit_changes` reads the values. null means: no limit."""

    reason = serializers.CharField(max_length=MAX_REASON)
    scope = serializers.ChoiceField(choices=choices(HaltScope), required=False)
    target = serializers.CharField(
        required=False, help_text="Account, strategy or symbol of a narrower scope."
    )
    effective_at = serializers.DateTimeField(required=False, help_text="Left out: now.")
    expires_at = serializers.DateTimeField(
        required=False, help_text="Makes it an override, which falls back by itself."
    )
    seen_version = serializers.IntegerField(
        required=False,
        help_text="The newest version of the scope you looked at; 409 if there is a newer one.",
    )

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), **{name: _asked(name) for name in LimitsVersion.LIMIT_FIELDS}}


class ChangeWords(StrictSerializer):
    """What names a change, without the limits."""

    scope = serializers.ChoiceField(choices=choices(HaltScope), default=HaltScope.EVERYTHING.value)
    target = serializers.CharField(required=False, default="", max_length=60)
    effective_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    seen_version = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0)


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
    extra_parameters = QUESTION

    @extend_schema(
        operation_id="limits_list",
        summary="Limits in force now or then, what waits, and their history",
        parameters=[
            OpenApiParameter("at", datetime, description="Which limits applied then? Left out: now."),
            OpenApiParameter("account", str, description="Only what applied to this account."),
            OpenApiParameter("symbol", str, description="Only what applied to this instrument."),
            OpenApiParameter("strategy", str, description="Only what applied to this strategy."),
        ],
        responses=forced_singular_serializer(LimitsAnswer),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        answer = super().get(request, *args, **kwargs)
        at, scopes = read_question(request)
        applied = list(versions_in_force(at)) if scopes is None else read_limits(scopes, at).rows
        current = next((row for row in applied if row.scope == HaltScope.EVERYTHING), None)
        return Response(
            {
                "current": LimitsRow(current).data if current else None,
                "applied": LimitsRow(applied, many=True).data,
                "scheduled": LimitsRow(scheduled_versions(), many=True).data,
                **answer.data,
            }
        )

    @extend_schema(
        operation_id="limits_change",
        summary="Put a new version in force; in production, ask a second person where it loosens",
        request=LimitsBody,
        responses={200: LimitsRow, 202: ApprovalRow},
        filters=False,
    )
    def put(self, request: Request) -> Response:
        changes = body_of(request)
        refuse_unknown_keys(changes, (*CHANGE_KEYS, *LimitsVersion.LIMIT_FIELDS))
        reason = read_reason(changes.pop("reason", None))
        words = {key: changes.pop(key) for key in CHANGE_KEYS if key in changes}
        wanted = read_change(words, changes)
        if not changes:
            raise InvalidInput(
                "No limit is named.",
                remedy=f"Send one or more of {', '.join(LimitsVersion.LIMIT_FIELDS)}.",
                field="body",
            )
        done = change_or_propose(wanted, reason=reason, actor=self.actor)
        if isinstance(done, ApprovalRequest):
            return Response(ApprovalRow(done).data, status=202)
        return Response(LimitsRow(done).data)


def read_change(words: dict[str, Any], changes: dict[str, Any]) -> LimitsChange:
    shape = ChangeWords(data=words)
    if not shape.is_valid():
        field, mistakes = next(iter(shape.errors.items()))
        raise InvalidInput(f"{field}: {mistakes[0]}", remedy="Correct it, or leave it out.", field=field)
    given = dict(shape.validated_data)
    scope = HaltScope(given.pop("scope"))
    target = given.pop("target").strip()
    return LimitsChange(changes, scope, target.upper() if scope is HaltScope.INSTRUMENT else target, **given)


def read_question(request: Request) -> tuple[datetime | None, list[tuple[HaltScope, str]] | None]:
    """The instant, and the scopes of the names that were given; None for no names: all scopes."""
    asked = {name: request.query_params.get(name, "").strip() for name in QUESTION}
    at = None
    if asked["at"]:
        at = parse_datetime(asked["at"].replace(" ", "+"))
        if at is None or at.tzinfo is None:
            raise InvalidInput(
                "at must be an ISO 8601 time with its zone.",
                remedy="Such as 2026-01-31T12:00:00Z.",
                field="at",
            )
    if not (asked["account"] or asked["symbol"] or asked["strategy"]):
        return at, None
    named = {
        HaltScope.ACCOUNT: asked["account"],
        HaltScope.INSTRUMENT: asked["symbol"].upper(),
        HaltScope.STRATEGY: asked["strategy"],
    }
    return at, [EVERYTHING, *((scope, target) for scope, target in named.items() if target)]
