"""Endpoint and ListEndpoint: what every resource inherits, so that no view can forget a lock on its door.

Order of the checks: the method (405), the shape of the address and the declared length (400, 411, 413), who asks (401),
whether they may (403), how often (429); only then the handler runs. Views are never run inside a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import HttpRequest
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.views import APIView

from trading.domain.actors import Actor

from .access import HasNeededRight
from .authentication import PanelSession, TokenAuthentication
from .bodies import MAX_BODY_BYTES, BodyTooLarge, LengthRequired, StrictJsonParser, refuse_unstorable
from .errors import handle_exception
from .filters import StrictFilterBackend, refuse_unknown
from .pagination import KeysetPagination
from .principals import actor_of
from .rendering import AlwaysJson, PlainJsonRenderer
from .throttles import BucketThrottle


class Guarded:
    """The parts shared by both kinds of endpoint."""

    # method -> right; a method without an entry is refused to everybody
    needs: ClassVar[Mapping[str, str]] = {}
    # method -> bucket of trading.api.throttles
    buckets: ClassVar[Mapping[str, str]] = {}
    max_body_bytes: ClassVar[int] = MAX_BODY_BYTES
    # query parameters; None means that a filter backend or the view itself checks them
    known_parameters: ClassVar[tuple[str, ...] | None] = ()

    http_method_names: Any = ("get", "head", "post", "put")
    authentication_classes: Any = (TokenAuthentication, PanelSession)
    permission_classes: Any = (HasNeededRight,)
    throttle_classes: Any = (BucketThrottle,)
    parser_classes: Any = (StrictJsonParser,)
    renderer_classes: Any = (PlainJsonRenderer,)
    content_negotiation_class: Any = AlwaysJson
    pagination_class: Any = KeysetPagination
    metadata_class: Any = None

    @property
    def allowed_methods(self) -> list[str]:
        return [name.upper() for name in self.http_method_names if hasattr(self, name)]

    def get_exception_handler(self) -> Any:
        return handle_exception

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        check_length(request._request, self.max_body_bytes)
        refuse_unstorable({**request.query_params.dict(), **{k: str(v) for k, v in kwargs.items()}})
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if self.known_parameters is not None:
            refuse_unknown(request, self.known_parameters)

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)  # type: ignore[attr-defined]


def check_length(request: HttpRequest, limit: int) -> None:
    """Judge the body by its declared length, before a byte of it is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if request.META.get("HTTP_TRANSFER_ENCODING") and length == "0":
        raise LengthRequired
    if length.isdecimal() and (len(length) > 18 or int(length) > limit):
        raise BodyTooLarge(f"The body is larger than {limit} bytes, the most this endpoint takes.")


class Endpoint(Guarded, APIView):
    """One resource or verb."""


class ListEndpoint(Guarded, ListAPIView):  # type: ignore[type-arg]
    """A filtered, cursor-paginated list. `keyset` is the order (see pagination)."""

    keyset: ClassVar[tuple[str, ...]] = ("-id",)
    filter_backends = (StrictFilterBackend,)
    # query parameters besides the filters
    extra_parameters: ClassVar[tuple[str, ...]] = ("limit", "cursor")
    known_parameters = None
