"""What waits for a second person: the list, and the two answers to it. The verbs are in `execution.approvals`.

Only an operator (the panel's session with a fresh second factor) can approve; a token cannot.
"""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import ApprovalKind, ApprovalState
from trading.execution.approvals import approve, refuse
from trading.models import ApprovalRequest
from trading.models.columns import choices

from .approval_rows import ApprovalRow
from .checked import StrictSerializer, check_body
from .endpoint import Endpoint, ListEndpoint
from .errors import NotFound
from .filters import RowFilter, since_filter, until_filter, words_filter
from .live import MAX_REASON, read_reason


class ApprovalFilter(RowFilter):
    kind = words_filter("kind", choices(ApprovalKind))
    state = words_filter("state", choices(ApprovalState))
    requested_after = since_filter("requested_at")
    requested_before = until_filter("requested_at")

    class Meta:
        model = ApprovalRequest
        fields: tuple[str, ...] = ()


class ApprovalsView(ListEndpoint):
    """Requests for a second person, the newest first."""

    needs = {"GET": "trading.view_approvalrequest"}
    queryset = ApprovalRequest.objects.all()
    serializer_class = ApprovalRow
    filterset_class = ApprovalFilter
    keyset = ("-requested_at", "-id")


class ApproveBody(StrictSerializer):
    """Empty: the address says what is approved, and the request what it is."""


class RefuseBody(StrictSerializer):
    reason = serializers.CharField(max_length=MAX_REASON)


def read_id(name: str) -> UUID:
    try:
        return UUID(name)
    except ValueError:
        raise NotFound(f"{name[:60]!r} is no id of a request.") from None


class ApproveView(Endpoint):
    needs = {"POST": "trading.decide_approval"}

    @extend_schema(
        operation_id="approvals_approve",
        summary="Approve what another person asks for; it is done before the answer",
        request=ApproveBody,
        responses=ApprovalRow,
    )
    def post(self, request: Request, name: str) -> Response:
        check_body(ApproveBody, request)
        return Response(ApprovalRow(approve(read_id(name), actor=self.actor)).data)


class RefuseView(Endpoint):
    needs = {"POST": "trading.decide_approval"}

    @extend_schema(
        operation_id="approvals_refuse",
        summary="Refuse what another person asks for",
        request=RefuseBody,
        responses=ApprovalRow,
    )
    def post(self, request: Request, name: str) -> Response:
        reason = read_reason(check_body(RefuseBody, request)["reason"])
        return Response(ApprovalRow(refuse(read_id(name), reason=reason, actor=self.actor)).data)
