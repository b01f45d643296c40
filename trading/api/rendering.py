"""Writing answers: always JSON, whatever the Accept header says; decimals as plain strings, times with Z."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.utils.mediatypes import media_type_matches

from trading.domain.money import plain


class PlainEncoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        return plain(obj) if isinstance(obj, Decimal) else super().default(obj)


class PlainJsonRenderer(JSONRenderer):
    encoder_class = PlainEncoder


class AlwaysJson(BaseContentNegotiation):
    """A machine that sends no or an odd Accept header gets its answer, not a 406."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        wanted = request.content_type
        return next((parser for parser in parsers if media_type_matches(parser.media_type, wanted)), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
