"""Cursor pagination by key: stable while rows are added, as fast on the last page as on the first.

A cursor is the sort key of the row at the edge of a page; it is opaque to callers, and a wrong one is a 400. A list
endpoint names its key as `keyset`: unique together, never null, all ascending or all descending. Filters that match
hardly anything cost no more (queries/key_walk.py): such a page may be short or empty and still have a `next`.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from trading.domain.errors import InvalidInput
from trading.queries.key_walk import KeyWalk, instant_of
from trading.queries.keyset import decode_cursor, encode_cursor, get_field, split_keyset

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
        is_backward, key = decode_cursor(cursor, self.fields) if cursor else (False, [])
        walk = KeyWalk(names, is_descending != is_backward, key)
        is_filtered = not set(request.query_params) <= set(view.extra_parameters)
        rows, edge = walk.read(queryset, limit + 1, is_filtered=is_filtered)
        has_more, rows = len(rows) > limit, rows[:limit]
        is_cut = edge is not None and not has_more  # a part was looked through: on from where that ended
        onward = edge if is_cut else rows[-1] if has_more else None
        back = (rows[0] if rows else edge) if key else None
        ahead, behind = self._link(onward, is_backward), self._link(back, not is_backward)
        self.next, self.previous = (behind, ahead) if is_backward else (ahead, behind)
        self.looked_until = instant_of(edge, names) if is_cut else None
        return rows[::-1] if is_backward else rows

    def _link(self, row: Model | None, is_backward: bool) -> str | None:
        if row is None:
            return None
        key = [field.value_to_string(row) for field in self.fields]
        url = remove_query_param(self.request.build_absolute_uri(), "cursor")
        return str(replace_query_param(url, "cursor", encode_cursor(is_backward, key)))

    def get_paginated_response(self, data: Any) -> Response:
        links = {"next": self.next, "previous": self.previous}
        return Response({"results": data, **links, "looked_until": self.looked_until})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        instant = {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "How far was looked where filters match hardly anything; `next` looks further. Else null.",
        }
        return {
            "type": "object",
            "required": ["results", "next", "previous", "looked_until"],
            "properties": {"results": schema, "next": link, "previous": link, "looked_until": instant},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        return [
            _parameter("limit", limit, "Rows on a page."),
            _parameter("cursor", {"type": "string"}, "From `next` or `previous`; opaque."),
        ]


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
