"""The kill switch at the address the documents give it: POST /live/kill and GET /live/status.

`on`, `reason` come in the query, as JSON or as a form. Engaging is never throttled and takes one step; releasing needs
the right trading.release_halt. GET /live/kill is 405: a link that somebody prefetches must not stop trading.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.enums import HaltScope
from trading.domain.errors import InvalidInput
from trading.execution.halts import engage
from trading.execution.releasing import release_or_propose
from trading.models import ApprovalRequest
from trading.queries.halts import read_status

from .access import require_right
from .approval_rows import ApprovalRow
from .bodies import BoundedFormParser, StrictJsonParser
from .checked import body_of, refuse_unknown_keys
from .endpoint import Endpoint
from .throttles import UNLIMITED

_TRUE = frozenset({"true", "1", "on", "yes"})
_FALSE = frozenset({"false", "0", "off", "no"})
_DEFAULT_REASON = "manual"
MAX_REASON = 300


class ScopeRecord(serializers.Serializer[Any]):
    scope = serializers.CharField()
    target = serializers.CharField(allow_null=True)
    state = serializers.CharField()
    reason = serializers.CharField(allow_null=True)
    trigger = serializers.CharField(allow_null=True)
    actor = serializers.CharField(allow_null=True)
    since = serializers.DateTimeField()
    epoch = serializers.IntegerField()


class LiveStatus(serializers.Serializer[Any]):
    kill_switch = serializers.BooleanField()
    reason = serializers.CharField(allow_null=True)
    mode = serializers.CharField(help_text="paper, testnet or production.")
    active = serializers.BooleanField(help_text="Trading is enabled and not halted.")
    state = serializers.CharField(help_text="active, reducing or halted.")
    since = serializers.DateTimeField(allow_null=True)
    actor = serializers.CharField(allow_null=True)
    epoch = serializers.IntegerField()
    scopes = ScopeRecord(many=True)
    sweep = serializers.DictField(
        allow_null=True, help_text="The latest: verdict running, clean or survivors."
    )
    build = serializers.CharField(help_text="Of the process that answers.")
    expected_build = serializers.CharField(
        allow_null=True, help_text="Only this build gets permits; null: any."
    )
    open_orders = serializers.IntegerField()
    submitting = serializers.IntegerField()
    in_doubt = serializers.IntegerField()
    quarantined = serializers.IntegerField()


class KillAnswer(LiveStatus):
    engagement = serializers.DictField(
        required=False, help_text="Of this request: epoch, in_flight, drained, seconds."
    )
    approval = ApprovalRow(required=False, help_text="What now waits for a second person.")


class KillBody(serializers.Serializer[Any]):
    on = serializers.BooleanField(required=False)
    reason = serializers.CharField(required=False, max_length=MAX_REASON)


def read_flag(value: Any) -> bool:
    word = str(value).strip().lower() if isinstance(value, (str, bool, int)) else ""
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise InvalidInput(
        "on must be true or false.", remedy="POST /live/kill?on=true engages, ?on=false releases.", field="on"
    )


def read_reason(value: Any, default: str = "") -> str:
    if value is None:
        value = default
    if not isinstance(value, str) or len(value) > MAX_REASON or not value.isprintable():
        raise InvalidInput(f"reason must be at most {MAX_REASON} printable characters.", field="reason")
    if not value.strip() and not default:
        raise InvalidInput("reason is missing.", remedy="Say why, in a few words.", field="reason")
    return value.strip() or default


def read_switch(request: Request) -> tuple[bool, str]:
    """`on` and `reason` of the query or the body; the same word twice must say the same."""
    body, query = body_of(request), request.query_params.dict()
    refuse_unknown_keys(body, ("on", "reason"))
    both = [name for name in query if name in body and str(body[name]).lower() != query[name].lower()]
    if both:
        raise InvalidInput(f"{both[0]} is given twice and differently.", field=both[0])
    said = {**query, **body}
    return read_flag(said.get("on")), read_reason(said.get("reason"), _DEFAULT_REASON)


class KillView(Endpoint):
    needs = {"POST": "trading.engage_halt"}
    buckets = {"POST": UNLIMITED}
    parser_classes = (StrictJsonParser, BoundedFormParser)
    known_parameters = ("on", "reason")
    max_body_bytes = 64 * 1024

    @extend_schema(
        operation_id="live_kill",
        summary="Engage or release the kill switch",
        parameters=[
            OpenApiParameter("on", bool, description="true engages, false releases; here or in the body."),
            OpenApiParameter("reason", str, description="Default: manual."),
        ],
        request={"application/json": KillBody, "application/x-www-form-urlencoded": KillBody},
        responses={200: KillAnswer, 202: KillAnswer},
    )
    def post(self, request: Request) -> Response:
        on, reason = read_switch(request)
        if on:
            engagement = engage(HaltScope.EVERYTHING, "", reason=reason, actor=self.actor)
            return Response({**read_status(), "engagement": engagement.as_dict()})
        require_right(request, "trading.release_halt")
        done = release_or_propose(HaltScope.EVERYTHING, "", reason=reason, actor=self.actor)
        if isinstance(done, ApprovalRequest):  # nothing is released yet: the second person has to say yes
            return Response({**read_status(), "approval": ApprovalRow(done).data}, status=202)
        return Response(read_status())


class StatusView(Endpoint):
    needs = {"GET": "trading.view_haltstate"}
    buckets = {"GET": UNLIMITED}

    @extend_schema(operation_id="live_status", summary="Is trading stopped, and why", responses=LiveStatus)
    def get(self, request: Request) -> Response:
        return Response(read_status())
