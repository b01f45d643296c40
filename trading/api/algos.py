"""Algos: start, look at, pause, resume and cancel. The verbs are in `execution.algos`; here are only HTTP's parts.

A repeat of an idempotency key gets the stored answer, as a signal's does. A denial is an answer too (201, decision
"denied"). Pausing and canceling are in the bucket of cancels, and no halt stands in their way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import AlgoKind, AlgoState, Side
from trading.execution.algos import cancel_algo, pause_algo, preview_algo, resume_algo, start_algo
from trading.models import Algo
from trading.models.columns import choices

from .algo_rows import (
    TOLD,
    AlgoBody,
    AlgoPreview,
    AlgoRow,
    AlgoStarted,
    AlgoStory,
    add_progress,
    tell_algo,
)
from .checked import StrictSerializer, body_of, check_body
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
from .live import MAX_REASON
from .signals import IDEMPOTENT, REPLAYED

START, STOP = "trading.start_algo", "trading.stop_algo"
RELATED = ("account", "instrument", "strategy")
ALGO_ID = OpenApiParameter("name", UUID, OpenApiParameter.PATH, description="The algo's id.")
_WHAT = {"symbol": "BTC/USDT", "side": "BUY"}
EXAMPLES = [
    OpenApiExample("TWAP", {"kind": "twap", **_WHAT, "quantity": "0.5", "duration_seconds": 3600}),
    OpenApiExample(
        "VWAP",
        {"kind": "vwap", **_WHAT, "quantity": "2", "price": "65000", "duration_seconds": 7200, "slices": 24},
    ),
    OpenApiExample(
        "Iceberg",
        {"kind": "iceberg", **_WHAT, "quantity": "1", "price": "64000", "visible_quantity": "0.05"},
    ),
]


class AlgoRowFilter(RowFilter):
    account = account_filter()
    symbol = symbol_filter()
    strategy = strategy_filter()
    kind = words_filter("kind", choices(AlgoKind))
    state = words_filter("state", choices(AlgoState))
    side = words_filter("side", choices(Side))
    created_after = since_filter("created_at")
    created_before = until_filter("created_at")

    class Meta:
        model = Algo
        fields: tuple[str, ...] = ()


class AlgosView(ListEndpoint):
    """Algos with their progress, the newest first."""

    needs = {"GET": "trading.view_algo", "POST": START}
    buckets = {"POST": "order"}
    max_body_bytes = 64 * 1024
    queryset = Algo.objects.select_related(*RELATED)
    serializer_class = AlgoRow
    filterset_class = AlgoRowFilter
    keyset = ("-created_at", "-id")

    def paginate_queryset(self, queryset: QuerySet[Algo]) -> Any:
        page = super().paginate_queryset(queryset)
        return None if page is None else add_progress(list(page))

    @extend_schema(
        operation_id="algos_create",
        summary="Start an algo",
        parameters=IDEMPOTENT,
        request=AlgoBody,
        responses={201: OpenApiResponse(AlgoStarted, "Decided now, or the answer given before.")},
        examples=EXAMPLES,
        filters=False,
    )
    def post(self, request: Request) -> Response:
        key = request.headers.get("Idempotency-Key")
        taken = start_algo(body_of(request), actor=self.actor, key=key)
        headers = {REPLAYED: "true"} if taken.repeated else {}
        return Response(TOLD.tell(taken.answer), status=201, headers=headers)


class AlgoPreviewView(Endpoint):
    """Its plan and what every rule says now; writes nothing."""

    needs = {"POST": START}
    buckets = {"POST": "order"}
    max_body_bytes = 64 * 1024

    @extend_schema(
        operation_id="algos_preview",
        summary="What starting this algo would decide now",
        request=AlgoBody,
        responses=AlgoPreview,
        examples=EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        return Response(TOLD.tell(preview_algo(body_of(request), actor=self.actor)))


def get_algo(name: str) -> Algo:
    try:
        found = Algo.objects.select_related(*RELATED).filter(pk=UUID(name)).first()
    except ValueError:
        found = None
    if found is None:
        raise NotFound(
            f"There is no algo {name[:80]!r}.", remedy="GET /api/v1/algos lists them.", algo=name[:80]
        )
    return found


class SingleAlgoView(Endpoint):
    needs = {"GET": "trading.view_algo"}

    @extend_schema(
        operation_id="algos_retrieve",
        summary="One algo with its plan, checks, children, its schedule and what it achieved",
        parameters=[ALGO_ID],
        responses=AlgoStory,
    )
    def get(self, request: Request, name: str) -> Response:
        return Response(tell_algo(get_algo(name)))


class SteerBody(StrictSerializer):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=MAX_REASON)


class _Steering(Endpoint):
    buckets = {"POST": "order"}

    def steer(self, request: Request, name: str, verb: Callable[..., Algo]) -> Response:
        body = check_body(SteerBody, request)
        algo = verb(get_algo(name).pk, reason=body.get("reason", ""), actor=self.actor)
        return Response(AlgoRow(add_progress([algo])[0]).data)


def _described(verb: str, summary: str) -> Any:
    return extend_schema(
        operation_id=f"algos_{verb}",
        summary=summary,
        parameters=[ALGO_ID],
        request=SteerBody,
        responses=AlgoRow,
    )


class AlgoPauseView(_Steering):
    needs = {"POST": STOP}

    @_described("pause", "No new child, and the end of those that are alive")
    def post(self, request: Request, name: str) -> Response:
        return self.steer(request, name, pause_algo)


class AlgoResumeView(_Steering):
    needs = {"POST": START}

    @_described("resume", "Go on where it stopped; not while a halt stands")
    def post(self, request: Request, name: str) -> Response:
        return self.steer(request, name, resume_algo)


class AlgoCancelView(_Steering):
    needs = {"POST": STOP}

    @_described("cancel", "End it as soon as nothing of it is alive")
    def post(self, request: Request, name: str) -> Response:
        return self.steer(request, name, cancel_algo)
