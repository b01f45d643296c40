"""Public reads of Binance: symbol rules and prices, in as few requests as the weights allow.

A list that names one symbol the venue does not know fails as a whole there, so several symbols are looked up in the
list of all, and one that is asked for alone and not known is simply not told.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from trading.domain.errors import MalformedAnswer, VenueRefused
from trading.domain.outcomes import InstrumentReport, PriceReport

from ..endpoint import VenueEndpoint
from ..line import VenueLine
from ..rows import parse_rows
from ..strict_json import JsonObject
from .codes import NO_SYMBOL_CODE
from .constants import ALL_BOOKS, ALL_PRICES, BOOK_TICKER, EXCHANGE_INFO, TICKER_PRICE
from .instruments import parse_instrument, symbol_rows
from .parse import parse_price, rows_by_symbol

logger = logging.getLogger(__name__)

_VENUE = "Binance"


def read_instruments(line: VenueLine, symbols: Sequence[str] | None) -> list[InstrumentReport]:
    if symbols is not None and not symbols:
        return []
    if symbols is not None and len(symbols) == 1:
        answer = _read_of_symbol(line, EXCHANGE_INFO, symbols[0])
    else:
        answer = line.read(EXCHANGE_INFO)
    rows = [] if answer is None else symbol_rows(answer)
    if symbols is not None:
        rows = [row for row in rows if isinstance(row, dict) and row.get("symbol") in symbols]
    return parse_rows(_VENUE, rows, parse_instrument, may_skip=symbols is None)


def read_prices(line: VenueLine, symbols: Sequence[str]) -> list[PriceReport]:
    """Of those symbols that the venue quotes."""
    if not symbols:
        return []
    if len(symbols) == 1:
        last = _read_of_symbol(line, TICKER_PRICE, symbols[0])
        book = None if last is None else _read_of_symbol(line, BOOK_TICKER, symbols[0])
    else:
        last, book = line.read(ALL_PRICES), line.read(ALL_BOOKS)
    received_at = datetime.now(UTC)
    tickers, tops = ({} if rows is None else rows_by_symbol(rows) for rows in (last, book))
    found: list[PriceReport] = []
    for symbol in dict.fromkeys(symbols):
        if symbol in tickers:
            found += _find_price(tickers[symbol], tops.get(symbol, {}), received_at)
    return found


def _find_price(last: JsonObject, book: JsonObject, at: datetime) -> list[PriceReport]:
    """One report, or none with a warning: a symbol without a price must not hide the prices of the others."""
    try:
        return [parse_price(last, book, at)]
    except MalformedAnswer as error:
        logger.warning(
            "%s's price of %s is left out: %s", _VENUE, str(last.get("symbol"))[:20], error.message
        )
        return []


def _read_of_symbol(line: VenueLine, endpoint: VenueEndpoint, symbol: str) -> Any:
    """None for a symbol the venue does not know."""
    try:
        return line.read(endpoint, [("symbol", symbol)])
    except VenueRefused as error:
        if error.venue_code != NO_SYMBOL_CODE:
            raise
        return None
