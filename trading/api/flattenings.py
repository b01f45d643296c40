"""Closing positions: one of them here, those of a scope with its halt. The verbs are in `execution.flatten`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.errors import InvalidInput, LeviError, NotAllowed
from trading.domain.money import positive
from trading.execution.flatten import flatten_payload
from trading.execution.flatten_requests import flatten_after, flatten_or_propose
from trading.execution.halts import Engagement
from trading.models import ApprovalRequest, ExchangeAccount, Flattening, FlatteningState

from .access import require_right
from .approval_rows import ApprovalRow
from .checked import StrictSerializer, check_body
from .endpoint import Endpoint, ListEndpoint
from .fields import AskedNumber, RowSerializer
from .filters import RowFilter, since_filter, until_filter, words_filter
from .live import MAX_REASON, read_reason

MAY = "trading.flatten_position"


class FlatteningRow(RowSerializer):
    class Meta:
        model = Flattening
        fields = (
            *("id", "account", "symbol", "quantity", "state", "report", "rounds", "reason", "actor"),
            *("requested_at", "finished_at", "sweep"),
        )


class FlatteningFilter(RowFilter):
    state = words_filter("state", FlatteningState.choices)
    requested_after = since_filter("requested_at")
    requested_before = until_filter("requested_at")

    class Meta:
        model = Flattening
        fields: tuple[str, ...] = ()


class FlatteningsView(ListEndpoint):
    """What was closed on purpose, the newest first; `report` says per position what is left and why."""

    needs = {"GET": "trading.view_flattening"}
    queryset = Flattening.objects.all()
    serializer_class = FlatteningRow
    filterset_class = FlatteningFilter
    keyset = ("-requested_at", "-id")


class FlattenBody(StrictSerializer):
    symbol = serializers.CharField(max_length=40, help_text="BASE/QUOTE.")
    account = serializers.CharField(required=False, max_length=40, help_text="Default: the default account.")
    quantity = AskedNumber(required=False, allow_null=True)
    reason = serializers.CharField(max_length=MAX_REASON)


class PositionFlattenView(Endpoint):
    needs = {"POST": MAY}

    @extend_schema(
        operation_id="positions_flatten",
        summary="Close one position, also while halted; in production: ask a second person to",
        request=FlattenBody,
        responses={200: FlatteningRow, 202: ApprovalRow},
    )
    def post(self, request: Request) -> Response:
        body = check_body(FlattenBody, request)
        quantity = body.get("quantity")
        payload = flatten_payload(
            body.get("account") or _default_account(),
            body["symbol"].strip().upper(),
            quantity=None if quantity is None else positive(quantity, field="quantity"),
        )
        done = flatten_or_propose(payload, reason=read_reason(body["reason"]), actor=self.actor)
        if isinstance(done, ApprovalRequest):
            return Response(ApprovalRow(done).data, status=202)
        return Response(FlatteningRow(done).data)


def _default_account() -> str:
    name = ExchangeAccount.objects.filter(is_default=True).values_list("name", flat=True).first()
    if name is None:
        raise InvalidInput("There is no default account.", remedy="Name the account.", field="account")
    return name


class FlattenOutcome(serializers.Serializer[Any]):
    """What became of the wish to flatten: one of the three."""

    flattening = FlatteningRow(allow_null=True)
    approval = ApprovalRow(allow_null=True, help_text="What now waits for a second person.")
    refused = serializers.DictField(allow_null=True, help_text="Code and message; the halt stands.")


def flatten_with(request: Request, engagement: Engagement, *, reason: str, actor: Any) -> dict[str, Any]:
    """After a halt that nothing of this can undo or delay."""
    done: Flattening | ApprovalRequest | LeviError
    try:
        require_right(request, MAY)
        done = flatten_after(engagement, reason=reason, actor=actor)
    except NotAllowed as error:
        done = error
    refused = {"code": done.code, "message": str(done)} if isinstance(done, LeviError) else None
    return {
        "flattening": FlatteningRow(done).data if isinstance(done, Flattening) else None,
        "approval": ApprovalRow(done).data if isinstance(done, ApprovalRequest) else None,
        "refused": refused,
    }
