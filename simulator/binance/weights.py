"""What a request weighs where that depends on its parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

Parameters = Mapping[str, str]
Weight = Callable[[Parameters], int]


def _count_symbols(parameters: Parameters) -> int | None:
    """How many are named; None when all are meant."""
    if "symbol" in parameters:
        return 1
    try:
        named = json.loads(parameters.get("symbols", "null"))
    except ValueError:
        return 1
    return len(named) if isinstance(named, list) else None


def of_depth(parameters: Parameters) -> int:
    text = parameters.get("limit", "100")
    levels = int(text) if text.isascii() and text.isdigit() else 100
    return next((weight for most, weight in ((100, 5), (500, 25), (1_000, 50)) if levels <= most), 250)


def of_book_prices(parameters: Parameters) -> int:
    return 2 if "symbol" in parameters else 4


def of_day_tickers(parameters: Parameters) -> int:
    count = _count_symbols(parameters)
    if count is None or count > 100:
        return 80
    return 2 if count <= 20 else 40


def of_open_orders(parameters: Parameters) -> int:
    return 6 if "symbol" in parameters else 80


def of_fills(parameters: Parameters) -> int:
    return 5 if "orderId" in parameters else 20


def of_test_orders(parameters: Parameters) -> int:
    return 20 if parameters.get("computeCommissionRates") == "true" else 1
