"""Exact decimal arithmetic: the only door for numbers that are money or quantities.

Floats are refused, because 0.1 + 0.2 is not 0.3. NaN, infinities, exponents beyond what a NUMERIC(38, 18) column holds
and absurd lengths are refused with a message that names the field. Nothing here rounds unless its name says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation, localcontext
from typing import Any

from .enums import Side
from .errors import InvalidMoney

MAX_DIGITS = 38
MAX_DECIMALS = 18
_MAX_TEXT = 64
ZERO = Decimal(0)
# What counts as one dollar: limits, tolerances and worth are in dollars.
DOLLARS = frozenset({"USD", "USDT", "USDC", "FDUSD", "TUSD", "USD1", "DAI"})
# Products of two 38-digit numbers must not be rounded by the default 28-digit context.
_PRECISION = 80
_COLUMN = Decimal(1).scaleb(-MAX_DECIMALS)
# Decimal() itself also takes "1_000" and digits of other scripts, which are rather a mistake than a number.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def exact_arithmetic() -> AbstractContextManager[Context]:
    """A block in which sums and products of column-wide numbers are exact, and whatever is not a number raises.

    Needed for every + and - too: the default context rounds any result to 28 digits, less than a column holds.
    """
    return localcontext(Context(prec=_PRECISION))


def exact(value: Any, *, field: str = "number") -> Decimal:
    """Turn text, an int or a Decimal into an exact finite Decimal, or raise InvalidMoney naming `field`."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        kind = type(value).__name__
        raise InvalidMoney(f"{field} must be a decimal number, not a {kind}.", field=field)
    if isinstance(value, str) and len(value) > _MAX_TEXT:
        raise InvalidMoney(
            f"{field} has {len(value)} characters, at most {_MAX_TEXT} are allowed.", field=field
        )
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise InvalidMoney(f"{field} is not a number: {value!r}.", field=field) from None
    if not number.is_finite():
        raise InvalidMoney(f"{field} must be finite, got {value!r}.", field=field)
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise InvalidMoney(f"{field} is not a plain number: {value!r}.", field=field)
    if not number:
        return ZERO  # -0 and 0E+400 are zero too
    _check_width(number, field)
    return number


def _check_width(number: Decimal, field: str) -> None:
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if number.adjusted() >= MAX_DIGITS - MAX_DECIMALS:
        limit = MAX_DIGITS - MAX_DECIMALS
        raise InvalidMoney(f"{field} is too large: at most {limit} digits before the point.", field=field)
    if exponent < -MAX_DECIMALS and any(digits[MAX_DECIMALS + exponent :]):
        raise InvalidMoney(f"{field} has more than {MAX_DECIMALS} decimals.", field=field)


def positive(value: Any, *, field: str) -> Decimal:
    """`exact`, and greater than zero."""
    number = exact(value, field=field)
    if number <= 0:
        raise InvalidMoney(f"{field} must be greater than zero, got {plain(number)}.", field=field)
    return number


def _to_step(number: Decimal, step: Decimal, rounding: str) -> Decimal:
    if step <= 0:
        return number
    with exact_arithmetic():
        steps = (number / step).to_integral_value(rounding=rounding)
        return steps * step


def round_to_lot(quantity: Decimal, lot_size: Decimal) -> Decimal:
    """Down to a whole number of lots: never more than was asked for."""
    return _to_step(quantity, lot_size, ROUND_FLOOR)


def round_to_tick(price: Decimal, tick_size: Decimal, side: Side) -> Decimal:
    """To the price grid in the asker's favour: a BUY limit goes down, a SELL limit goes up."""
    return _to_step(price, tick_size, ROUND_FLOOR if side is Side.BUY else ROUND_CEILING)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Exact product cut to the 18 decimals of a column (half even), without the 28-digit default context."""
    with exact_arithmetic():
        return (left * right).quantize(_COLUMN).normalize() + ZERO


def add(left: Decimal, right: Decimal) -> Decimal:
    """Exact sum, also where the 28-digit default context would round."""
    with exact_arithmetic():
        return left + right


def add_up(numbers: Iterable[Decimal]) -> Decimal:
    """Exact sum of any number of them; zero for none."""
    with exact_arithmetic():
        return sum(numbers, ZERO)


def divide(numerator: Decimal, denominator: Decimal) -> Decimal:
    """Quotient at 18 decimals. The caller makes sure that `denominator` is not zero."""
    with exact_arithmetic():
        return (numerator / denominator).quantize(_COLUMN).normalize() + ZERO


def notional(quantity: Decimal, price: Decimal) -> Decimal:
    """quantity × price, in the quote asset."""
    return multiply(quantity, price)


def plain(number: Decimal | None) -> str:
    """Plain text without an exponent or trailing zeros: 1E-7 becomes 0.0000001. None becomes an empty text."""
    if number is None:
        return ""
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
