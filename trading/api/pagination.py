"""Cursor pagination by key: stable while rows are added, as fast on the last page as on the first.

A cursor is the sort key of the row at the edge of a page; it is opaque to callers, and a wrong one is a 400. A list
endpoint names its key as `keyset`: unique together, never null, all ascending or all descending.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from trading.domain.errors import InvalidInput
from trading.queries.keyset import beyond, decode_cursor, encode_cursor, get_field, split_keyset

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


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


class KeysetPagination(BasePagination):
    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        names, is_descending = split_keyset(view.keyset)
        self.fields = [get_field(queryset.model, name) for name in names]
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


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
