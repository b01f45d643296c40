"""GET /metrics: everything Prometheus scrapes, from one address for all processes.

Open to a scraper on the same host that talks to us directly, and to everybody where LEVI_METRICS_OPEN is set (an inner
network); anybody else shows a token of any role. A request that came through a proxy is never local.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from trading.queries.exposition import CONTENT_TYPE_LATEST, render

from .access import HasNeededRight
from .endpoint import Endpoint
from .throttles import UNLIMITED

_PROXY_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def is_local(request: HttpRequest) -> bool:
    if any(header in request.META for header in _PROXY_HEADERS):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


class LocalOrRight(HasNeededRight):
    def has_permission(self, request: Request, view: Any) -> bool:
        if is_local(request._request) or settings.METRICS_OPEN:
            return True
        return super().has_permission(request, view)


class MetricsView(Endpoint):
    needs = {"GET": "trading.view_order"}
    buckets = {"GET": UNLIMITED}
    permission_classes = (LocalOrRight,)
    known_parameters = None

    @extend_schema(
        operation_id="metrics",
        summary="Prometheus exposition",
        responses={(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, "Text exposition format.")},
    )
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(render(), content_type=CONTENT_TYPE_LATEST)
