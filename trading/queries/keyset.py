"""Pages by key: stable while rows are added, as fast on the last page as on the first.

A keyset names columns that are unique together, never null, and all ascending or all descending. A cursor is the key of
the row at the edge of a page; it is opaque to callers, and a wrong one raises InvalidInput.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Model, Q

from trading.domain.errors import InvalidInput

_MAX_CURSOR = 500


def split_keyset(keyset: Sequence[str]) -> tuple[list[str], bool]:
    return [name.removeprefix("-") for name in keyset], keyset[0].startswith("-")


def get_field(model: type[Model], name: str) -> Field[Any, Any]:
    field = model._meta.get_field(name)
    if not isinstance(field, Field):
        raise FieldDoesNotExist(name)
    return field


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
