"""Public reads of Bybit: symbol rules and prices. One symbol and all of them are one request each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

from trading.domain.errors import MalformedAnswer
from trading.domain.outcomes import InstrumentReport, PriceReport

from ..endpoint import Pairs
from ..line import VenueLine
from ..rows import parse_rows
from ..strict_json import JsonObject
from .constants import CATEGORY, INSTRUMENTS, TICKERS
from .instruments import parse_instrument
from .parse import parse_price, rows_of

logger = logging.getLogger(__name__)


def _pairs(symbols: Sequence[str] | None) -> Pairs:
    """The venue takes one symbol or none; several means all."""
    one = [("symbol", symbols[0])] if symbols and len(symbols) == 1 else []
    return [("category", CATEGORY), *one]


def read_instruments(line: VenueLine, symbols: Sequence[str] | None) -> list[InstrumentReport]:
    wanted = None if symbols is None else set(symbols)
    rows = rows_of(line.read(INSTRUMENTS, _pairs(symbols)))
    if wanted is not None:
        rows = [row for row in rows if isinstance(row, dict) and row.get("symbol") in wanted]
    return parse_rows("Bybit", rows, parse_instrument, may_skip=wanted is None)


def read_prices(line: VenueLine, symbols: Sequence[str]) -> list[PriceReport]:
    """Of those symbols that the venue quotes."""
    if not symbols:
        return []
    wanted, rows = set(symbols), rows_of(line.read(TICKERS, _pairs(symbols)))
    received_at = datetime.now(UTC)
    found: list[PriceReport] = []
    for row in rows:
        if isinstance(row, dict) and row.get("symbol") in wanted:
            found += _find_price(row, received_at)
    return found


def _find_price(row: JsonObject, at: datetime) -> list[PriceReport]:
    """One report, or none with a warning: a symbol without a price must not hide the prices of the others."""
    try:
        return [parse_price(row, at)]
    except MalformedAnswer as error:
        logger.warning("Bybit's price of %s is left out: %s", str(row.get("symbol"))[:20], error.message)
        return []
