"""Webhooks: where alerts of other programs come in. The secret in the body or a header is the only way to be known.

Senders set no headers, wait three seconds and send again when they hear nothing: a repeat gets the stored answer, and
the answer is short. The secret is taken out of the body before anything else looks at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.errors import UnknownName
from trading.execution.webhooks import authenticate_webhook, take_alert
from trading.sign_in.addresses import client_address
from trading.sign_in.trail import record_refused_webhook

from .access import PUBLIC
from .bodies import StrictJsonParser
from .checked import body_of
from .endpoint import Endpoint
from .signals import REPLAYED
from .throttles import UNLIMITED, take_token

SECRET_HEADER, SECRET_FIELD = "X-Levi-Secret", "secret"


class JsonTextParser(StrictJsonParser):
    """The same JSON under the type that chart programs send it as."""

    media_type = "text/plain"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        return super().parse(stream, media_type, parser_context)


class AlertBody(serializers.Serializer[Any]):
    """For the schema only; other fields are left out, and several have the names that chart programs use."""

    secret = serializers.CharField(help_text=f"Or the header {SECRET_HEADER}.", required=False)
    symbol = serializers.CharField(help_text="Or ticker. BTC/USDT, BTCUSDT or MEXC:BTCUSDT.")
    side = serializers.CharField(help_text="Or action: buy or sell.")
    quantity = serializers.CharField(required=False, help_text="Or contracts; left out: the webhook's own.")
    price = serializers.CharField(
        required=False, help_text="Or close: what the alert saw, compared with ours. A limit is limit_price."
    )
    limit_price = serializers.CharField(required=False)
    sent_at = serializers.CharField(required=False, help_text="Or time, timenow: refused when too old.")
    id = serializers.CharField(required=False, help_text="Tells a repeat from another alert.")


class AlertAnswer(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=("approved", "denied"))
    codes = serializers.ListField(child=serializers.CharField())
    order_id = serializers.UUIDField()
    client_order_id = serializers.CharField()
    mode = serializers.CharField()


class WebhookView(Endpoint):
    needs = {"POST": PUBLIC}
    buckets = {"POST": UNLIMITED}  # below: by webhook, and by address for who is not known
    authentication_classes = ()
    parser_classes = (StrictJsonParser, JsonTextParser)
    max_body_bytes = 64 * 1024

    @extend_schema(
        operation_id="webhooks_alert",
        summary="Bring an alert",
        parameters=[
            OpenApiParameter("name", str, OpenApiParameter.PATH, description="The webhook's slug."),
            OpenApiParameter(SECRET_HEADER, str, OpenApiParameter.HEADER, description="Or in the body."),
        ],
        request=AlertBody,
        responses={201: AlertAnswer},
        examples=[
            OpenApiExample(
                "Chart program",
                {
                    "secret": "…",
                    "symbol": "MEXC:BTCUSDT",
                    "side": "buy",
                    "quantity": "0.01",
                    "price": "50000",
                    "sent_at": "2026-01-31T12:00:00Z",
                },
            )
        ],
        auth=[],
    )
    def post(self, request: Request, name: str) -> Response:
        payload = body_of(request)
        secret = str(payload.pop(SECRET_FIELD, "") or request.headers.get(SECRET_HEADER, ""))[:200]
        row = self._known(name, secret, client_address(request._request))
        if (wait := take_token("order", f"webhook:{row.pk}")) > 0:
            raise Throttled(wait)
        taken = take_alert(row, payload, request_id=getattr(request, "request_id", ""))
        told = {field: taken.answer.get(field) for field in AlertAnswer().fields}
        headers = {REPLAYED: "true"} if taken.repeated else {}
        return Response({**told, "mode": settings.LEVI_MODE}, status=201, headers=headers)

    def _known(self, slug: str, secret: str, address: str) -> Any:
        try:
            return authenticate_webhook(slug, secret, address)
        except UnknownName:
            if (wait := take_token("wrong_token", address)) > 0:
                raise Throttled(wait) from None
            record_refused_webhook(slug, address)
            raise
