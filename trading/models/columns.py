"""Column types and keys shared by all tables.

Money and quantities are NUMERIC(38, 18): wide enough for any coin. Ids of things that outsiders name are UUIDs of
version 7, so that an index on them grows at its end.
"""

from __future__ import annotations

import os
import time
from typing import Any
from uuid import UUID

from django.db import models

from trading.domain.money import MAX_DECIMALS, MAX_DIGITS


def exact_field(**options: Any) -> models.DecimalField:
    return models.DecimalField(max_digits=MAX_DIGITS, decimal_places=MAX_DECIMALS, **options)


def new_id() -> UUID:
    """A UUID version 7: 48 bits of milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    number = (number & ~(0xF << 76)) | (0x7 << 76)
    return UUID(int=(number & ~(0x3 << 62)) | (0x2 << 62))


def choices(vocabulary: type) -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ")) for member in vocabulary]  # type: ignore[attr-defined]


def one_of(column: str, vocabulary: type, name: str) -> models.CheckConstraint:
    """The database refuses a word outside the vocabulary."""
    values = [member.value for member in vocabulary]  # type: ignore[attr-defined]
    return models.CheckConstraint(condition=models.Q(**{f"{column}__in": values}), name=name)
