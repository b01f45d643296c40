"""Cursor pagination by key: stable while rows are added, as fast on the last page as on the first.

A cursor is the sort key of the row at the edge of a page; it is opaque to callers, and a wrong one is a 400. A list
endpoint names its key as `keyset`: unique together, never null, all ascending or all descending.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Model, Q
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from trading.domain.errors import InvalidInput

DEFAULT_LIMIT = 50
MAX_LIMIT = 500
_MAX_CURSOR = 500


def read_limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MAX_LIMIT):
        raise InvalidInput(
            f"limit must be a whole number from 1 to {MAX_LIMIT}.",
            remedy=f"Leave it out for {DEFAULT_LIMIT}; follow `next` for more.",
            field="limit",
        )
    return int(text)


def encode_cursor(is_backward: bool, key: Sequence[str]) -> str:
    text = json.dumps([int(is_backward), *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str, fields: Sequence[Field[Any, Any]]) -> tuple[bool, list[Any]]:
    try:
        if len(text) > _MAX_CURSOR:
            raise ValueError("too long")
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        direction, *key = found
        if direction not in (0, 1) or len(key) != len(fields) or not all(isinstance(k, str) for k in key):
            raise ValueError("wrong shape")
        return bool(direction), [field.to_python(k) for field, k in zip(fields, key, strict=True)]
    except (ValueError, TypeError, binascii.Error, RecursionError, OverflowError, ValidationError):
        raise InvalidInput(
            "The cursor is not one of ours.",
            remedy="Start without a cursor and follow `next`.",
            field="cursor",
        ) from None


def beyond(names: Sequence[str], key: Sequence[Any], operator: str) -> Q:
    """Rows strictly behind the key, in the order of `names`; the first condition lets an index be used."""
    condition = Q()
    for depth in range(len(names)):
        equal = {names[n]: key[n] for n in range(depth)}
        condition |= Q(**equal, **{f"{names[depth]}__{operator}": key[depth]})
    return Q(**{f"{names[0]}__{operator}e": key[0]}) & condition


class KeysetPagination(BasePagination):
    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        names, is_descending = split_keyset(view.keyset)
        self.fields = [_field(queryset.model, name) for name in names]
        self.request = request
        limit = read_limit(request.query_params.get("limit"))
        cursor = request.query_params.get("cursor")
        self.is_backward, key = decode_cursor(cursor, self.fields) if cursor else (False, [])
        goes_down = is_descending != self.is_backward
        if key:
            queryset = queryset.filter(beyond(names, key, "lt" if goes_down else "gt"))
        rows = list(queryset.order_by(*[("-" if goes_down else "") + name for name in names])[: limit + 1])
        has_more = len(rows) > limit
        rows = rows[:limit]
        if self.is_backward:
            rows.reverse()
        self.has_next = bool(rows) and (has_more or self.is_backward)
        self.has_previous = bool(rows) and (has_more if self.is_backward else bool(key))
        self.rows = rows
        return rows

    def _link(self, row: Model, is_backward: bool) -> str:
        key = [field.value_to_string(row) for field in self.fields]
        url = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return str(replace_query_param(url, "cursor", encode_cursor(is_backward, key)))

    def links(self) -> dict[str, str | None]:
        return {
            "next": self._link(self.rows[-1], False) if self.has_next else None,
            "previous": self._link(self.rows[0], True) if self.has_previous else None,
        }

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, **self.links()})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        return [
            _parameter("limit", limit, "Rows on a page."),
            _parameter("cursor", {"type": "string"}, "From `next` or `previous`; opaque."),
        ]


def split_keyset(keyset: Sequence[str]) -> tuple[list[str], bool]:
    return [name.removeprefix("-") for name in keyset], keyset[0].startswith("-")


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def _field(model: type[Model], name: str) -> Field[Any, Any]:
    field = model._meta.get_field(name)
    if not isinstance(field, Field):
        raise FieldDoesNotExist(name)
    return field
