"""Halts by scope: what stands now, engage, release, history. The verbs are in `execution.halts`.

Engaging needs one step and one right, and no throttle ever delays it. `seen_epoch` lets a release refuse when somebody
engaged again after the caller looked.
"""

from __future__ import annotations

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import CancelScope, HaltScope, TradingState
from trading.domain.errors import InvalidInput
from trading.execution.halts import engage
from trading.execution.releasing import release_or_propose
from trading.models import ApprovalRequest, HaltChange
from trading.models.columns import choices
from trading.queries.halts import current_epoch, list_scopes, scope_record

from .approval_rows import ApprovalRow
from .checked import StrictSerializer, check_body
from .endpoint import Endpoint, ListEndpoint
from .fields import RowSerializer
from .filters import RowFilter, since_filter, until_filter
from .flattenings import FlattenOutcome, flatten_with
from .live import MAX_REASON, ScopeRecord, read_reason
from .throttles import UNLIMITED

NO_CANCEL = "none"


class HaltsAnswer(serializers.Serializer[Any]):
    results = ScopeRecord(many=True, help_text="The widest scope, and every other that is not active.")
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    epoch = serializers.IntegerField()


class HaltsView(Endpoint):
    needs = {"GET": "trading.view_haltstate"}
    known_parameters = ("limit",)

    @extend_schema(operation_id="halts_list", summary="The current state by scope", responses=HaltsAnswer)
    def get(self, request: Request) -> Response:
        rows = [scope_record(row) for row in list_scopes()]
        return Response({"results": rows, "next": None, "previous": None, "epoch": current_epoch()})


class ScopeBody(StrictSerializer):
    scope = serializers.ChoiceField(choices=choices(HaltScope))
    target = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=60,
        help_text="Account or strategy name, or symbol; none for everything.",
    )
    reason = serializers.CharField(max_length=MAX_REASON)


class EngageBody(ScopeBody):
    state = serializers.ChoiceField(
        choices=[TradingState.HALTED.value, TradingState.REDUCING.value], default=TradingState.HALTED.value
    )
    cancel = serializers.ChoiceField(
        choices=[*(scope.value for scope in CancelScope), NO_CANCEL],
        default=CancelScope.OURS.value,
        help_text="Whose open orders a halt cancels.",
    )
    flatten = serializers.BooleanField(
        default=False, help_text="Also close the positions of the scope; needs the role risk."
    )


class ReleaseBody(ScopeBody):
    seen_epoch = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=2**63 - 1,
        help_text="The epoch you looked at.",
    )


class EngagementAnswer(serializers.Serializer[Any]):
    epoch = serializers.IntegerField()
    scope = serializers.CharField()
    target = serializers.CharField(allow_blank=True)
    state = serializers.CharField()
    change_id = serializers.UUIDField()
    sweep_id = serializers.UUIDField(allow_null=True)
    in_flight = serializers.ListField(
        child=serializers.CharField(), help_text="Client order ids sent before, outcome pending."
    )
    drained = serializers.BooleanField(help_text="No permit given before can still be used.")
    seconds = serializers.CharField()
    flatten = FlattenOutcome(allow_null=True, help_text="Only if it was asked for.")


def read_scope(body: dict[str, Any]) -> tuple[HaltScope, str]:
    scope, target = HaltScope(body["scope"]), (body.get("target") or "").strip()
    if scope is HaltScope.INSTRUMENT:
        target = target.upper()
    if (scope is HaltScope.EVERYTHING) == bool(target):
        expected = "takes no target" if target else f"needs the {scope}'s name as target"
        raise InvalidInput(f"Scope {scope} {expected}.", field="target")
    return scope, target


class EngageView(Endpoint):
    needs = {"POST": "trading.engage_halt"}
    buckets = {"POST": UNLIMITED}

    @extend_schema(
        operation_id="halts_engage", summary="Halt a scope", request=EngageBody, responses=EngagementAnswer
    )
    def post(self, request: Request) -> Response:
        body = check_body(EngageBody, request)
        scope, target = read_scope(body)
        reason = read_reason(body["reason"])
        engagement = engage(
            scope,
            target,
            state=TradingState(body["state"]),
            reason=reason,
            actor=self.actor,
            cancel=None if body["cancel"] == NO_CANCEL else CancelScope(body["cancel"]),
        )
        flattened = None
        if body["flatten"]:
            flattened = flatten_with(request, engagement, reason=reason, actor=self.actor)
        return Response({**engagement.as_dict(), "flatten": flattened})


class ReleaseView(Endpoint):
    needs = {"POST": "trading.release_halt"}

    @extend_schema(
        operation_id="halts_release",
        summary="Release a scope; in production: ask a second person to",
        request=ReleaseBody,
        responses={200: ScopeRecord, 202: ApprovalRow},
    )
    def post(self, request: Request) -> Response:
        body = check_body(ReleaseBody, request)
        scope, target = read_scope(body)
        done = release_or_propose(
            scope,
            target,
            reason=read_reason(body["reason"]),
            actor=self.actor,
            seen_epoch=body.get("seen_epoch"),
        )
        if isinstance(done, ApprovalRequest):
            return Response(ApprovalRow(done).data, status=202)
        return Response(scope_record(done))


class HaltChangeRow(RowSerializer):
    class Meta:
        model = HaltChange
        fields = (
            "id",
            "scope",
            "target",
            "before",
            "after",
            "reason",
            "trigger",
            "actor",
            "epoch",
            "request_id",
            "at",
        )


class HaltChangeFilter(RowFilter):
    scope = django_filters.ChoiceFilter(choices=choices(HaltScope))
    target = django_filters.CharFilter()
    after = django_filters.ChoiceFilter(choices=choices(TradingState))
    trigger = django_filters.CharFilter()
    actor = django_filters.CharFilter()
    at_after = since_filter("at")
    at_before = until_filter("at")

    class Meta:
        model = HaltChange
        fields: tuple[str, ...] = ()


class HaltHistoryView(ListEndpoint):
    """Every engagement and release, the newest first."""

    needs = {"GET": "trading.view_haltchange"}
    queryset = HaltChange.objects.all()
    serializer_class = HaltChangeRow
    filterset_class = HaltChangeFilter
    keyset = ("-at", "-id")
