"""Reading request bodies: bounded, strict and exact.

JSON numbers with a point become Decimal; NaN, infinities, duplicate keys, texts the database cannot store (NUL, lone
surrogates) and anything but an object at the top are refused with 400, too large bodies with 413 before they are read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, NoReturn

from django.http import QueryDict
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser

from trading.domain.errors import InvalidInput

MAX_BODY_BYTES = 1_000_000
_REMEDY = 'Send one JSON object, such as {"symbol": "BTC/USDT"}.'


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "body_too_large"


class LengthRequired(APIException):
    status_code = 411
    default_code = "length_required"
    default_detail = "Send a Content-Length header: chunked bodies are not read."


def refuse_unstorable(value: Any, field: str = "body") -> None:
    """Texts with NUL or half a surrogate pair can be written to no table: say so now, with the field's name."""
    if isinstance(value, str):
        if "\x00" in value or not _is_encodable(value):
            raise InvalidInput(
                f"{field} holds a character that cannot be stored.",
                remedy="Remove NUL characters and unpaired surrogates.",
                field=field,
            )
    elif isinstance(value, Mapping):
        for key, item in value.items():
            refuse_unstorable(key, "a key")
            refuse_unstorable(item, key)
    elif isinstance(value, list):
        for item in value:
            refuse_unstorable(item, field)


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def parse_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(
            body.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError:
        raise InvalidInput("The body is not UTF-8.", code="invalid_json", remedy=_REMEDY) from None
    except (ValueError, ArithmeticError) as error:
        reason = str(error).partition(";")[0]
        raise InvalidInput(
            f"The body is not valid JSON: {reason}.", code="invalid_json", remedy=_REMEDY
        ) from None
    except RecursionError:
        raise InvalidInput("The body is nested too deeply.", code="invalid_json", remedy=_REMEDY) from None
    if not isinstance(found, dict):
        raise InvalidInput("The body is not a JSON object.", code="invalid_json", remedy=_REMEDY)
    refuse_unstorable(found)
    return found


def _read(stream: IO[Any], context: Mapping[str, Any] | None) -> bytes:
    limit = getattr((context or {}).get("view"), "max_body_bytes", MAX_BODY_BYTES)
    body: bytes = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(f"The body is larger than {limit} bytes, the most this endpoint takes.")
    return body


class StrictJsonParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = _read(stream, parser_context)
        return parse_object(body) if body.strip() else {}


class BoundedFormParser(BaseParser):
    """For curl's default; every value is text."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        found = QueryDict(_read(stream, parser_context), encoding="utf-8").dict()
        refuse_unstorable(found)
        return found
