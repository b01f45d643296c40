"""Reading what a venue answered: every value is checked for its type, and an error names the field.

Numbers with a point become Decimal, never float; NaN, infinities, duplicate keys and absurd nesting are refused.
Pure functions; the only exception is MalformedAnswer, from which nothing may be concluded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any, NoReturn

from trading.domain.errors import InvalidMoney, MalformedAnswer
from trading.domain.money import MAX_DECIMALS, MAX_DIGITS, ZERO, exact

JsonObject = Mapping[str, Any]

_EARLIEST_MS = 1_262_304_000_000  # 2010: earlier stamps are zeros or seconds taken for milliseconds
_LATEST_MS = 4_102_444_800_000  # 2100: later ones are microseconds
_MAX_ID = 128


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def load_json(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8"),
            parse_float=Decimal,
            parse_int=int,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except (ValueError, RecursionError, ArithmeticError) as error:
        kind = type(error).__name__
        raise MalformedAnswer(f"The answer is not readable JSON ({kind}).") from None


def malformed(field: str, expected: str, value: Any) -> MalformedAnswer:
    """The error for one wrong field; shows the value's type and at most 40 characters of it."""
    shown = repr(value)[:40] if isinstance(value, (str, int, Decimal, type(None))) else "…"
    return MalformedAnswer(
        f"Field {field} should be {expected}, got {type(value).__name__} {shown}.", field=field
    )


def as_object(value: Any, what: str) -> JsonObject:
    if not isinstance(value, dict):
        raise malformed(what, "an object", value)
    return value


def as_list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise malformed(what, "a list", value)
    return value


def read_text(row: JsonObject, field: str) -> str:
    value = row.get(field)
    if not isinstance(value, str) or not value or len(value) > _MAX_ID:
        raise malformed(field, f"a text of 1 to {_MAX_ID} characters", value)
    return value


def find_text(row: JsonObject, field: str) -> str:
    """The text, or an empty one where the venue leaves the field out or null."""
    return "" if row.get(field) in (None, "") else read_text(row, field)


def read_id(row: JsonObject, field: str) -> str:
    """An opaque id: text as it is; an integer becomes text and is never computed with."""
    value = row.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return read_text(row, field)


def read_bool(row: JsonObject, field: str) -> bool:
    value = row.get(field)
    if not isinstance(value, bool):
        raise malformed(field, "true or false", value)
    return value


def read_int(row: JsonObject, field: str) -> int:
    """An integer; venues also write them as texts of digits."""
    value = row.get(field)
    if isinstance(value, str) and len(value) <= 20 and value.removeprefix("-").isdecimal():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise malformed(field, "a whole number", value)
    return value


def read_decimal(row: JsonObject, field: str) -> Decimal:
    """An exact number, as text or as a JSON number."""
    try:
        return exact(row.get(field), field=field)
    except InvalidMoney:
        raise malformed(field, "a decimal number", row.get(field)) from None


def read_quantity(row: JsonObject, field: str) -> Decimal:
    """A number that is not negative."""
    number = read_decimal(row, field)
    if number < 0:
        raise malformed(field, "a number that is not negative", row.get(field))
    return number


def read_positive(row: JsonObject, field: str) -> Decimal:
    number = read_decimal(row, field)
    if number <= 0:
        raise malformed(field, "a number above zero", str(number))
    return number


def find_quantity(row: JsonObject, field: str) -> Decimal | None:
    return None if row.get(field) in (None, "") else read_quantity(row, field)


def read_rounded(row: JsonObject, field: str) -> Decimal:
    """A number that may have more decimals than a column holds (fees, notionals): rounded half even."""
    value = row.get(field)
    if isinstance(value, str) and len(value) <= 64:
        try:
            value = Decimal(value)
        except ArithmeticError:
            raise malformed(field, "a decimal number", value) from None
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < MAX_DIGITS:
        with localcontext() as context:
            context.prec = 4 * MAX_DIGITS
            value = value.quantize(Decimal(1).scaleb(-MAX_DECIMALS), rounding=ROUND_HALF_EVEN)
            value = value.normalize() + ZERO  # without trailing zeros and without an exponent
    return read_decimal({field: value}, field)


def read_time(row: JsonObject, field: str) -> datetime:
    """Milliseconds since 1970 as an aware datetime."""
    stamp = read_int(row, field)
    if not _EARLIEST_MS <= stamp <= _LATEST_MS:
        raise malformed(field, "a time in milliseconds", stamp)
    seconds, millis = divmod(stamp, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=millis * 1000)


def find_time(row: JsonObject, field: str) -> datetime | None:
    value = row.get(field)
    # Not by `in (…, 0)`: a signalling NaN answers every comparison with an exception.
    is_zero = value.is_zero() if isinstance(value, Decimal) else value in (None, "", 0)
    return None if is_zero else read_time(row, field)
