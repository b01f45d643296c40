"""Exact decimal arithmetic for the simulated venue.

Every price, quantity and balance is a `Decimal` computed in one wide context, so that products of an 18-decimal
quantity and a 10-decimal price stay exact. Nothing here (or anywhere in the simulator's core) uses binary floats.
"""

from __future__ import annotations

import decimal
from decimal import ROUND_DOWN, ROUND_UP, Decimal, InvalidOperation

ZERO = Decimal(0)
PRECISION = 60


def use_exact_context() -> None:
    """Widen the process's decimal context; called once by the program, never on import."""
    decimal.DefaultContext.prec = PRECISION
    decimal.setcontext(decimal.Context(prec=PRECISION))


def step_of(decimals: int) -> Decimal:
    return Decimal(1).scaleb(-decimals)


def round_down(number: Decimal, step: Decimal) -> Decimal:
    return (number / step).to_integral_value(ROUND_DOWN) * step


def round_up(number: Decimal, step: Decimal) -> Decimal:
    return (number / step).to_integral_value(ROUND_UP) * step


def decimals_of(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -int(exponent))


def plain(number: Decimal) -> str:
    """Digits without an exponent and without trailing zeros, the way the venues print them."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text


def parse_plain(text: str) -> Decimal | None:
    """A finite decimal in plain notation, or None; exponents are refused as the venue refuses them."""
    if len(text) > 64 or "e" in text.lower() or "_" in text or text != text.strip():
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
