"""Public reads of MEXC: symbol rules and prices, in as few requests as the weights allow."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from trading.domain.errors import MalformedAnswer, VenueRefused
from trading.domain.outcomes import InstrumentReport, PriceReport

from ..endpoint import Pairs
from ..line import VenueLine
from ..rows import parse_rows
from .constants import BOOK_TICKER, EXCHANGE_INFO, SELF_SYMBOLS, TICKER_PRICE
from .instruments import parse_instrument, symbol_rows
from .parse import parse_price, parse_self_symbols, rows_by_symbol

logger = logging.getLogger(__name__)

_SYMBOLS_PER_REQUEST = 50  # a longer list makes a URL that gateways may refuse; the whole list costs the same


def read_instruments(line: VenueLine, symbols: Sequence[str] | None) -> list[InstrumentReport]:
    wanted = None if symbols is None else set(symbols)
    rows = symbol_rows(line.read(EXCHANGE_INFO, _symbol_pairs(symbols)))
    if wanted is not None:
        rows = [row for row in rows if isinstance(row, dict) and row.get("symbol") in wanted]
    reports = parse_rows("MEXC", rows, parse_instrument, may_skip=wanted is None)
    allowed = _find_key_symbols(line)
    if allowed is None:
        return reports
    return [_restricted(report, allowed) for report in reports]


def _restricted(report: InstrumentReport, allowed: frozenset[str]) -> InstrumentReport:
    return replace(report, is_tradable=report.is_tradable and report.venue_symbol in allowed)


def _symbol_pairs(symbols: Sequence[str] | None) -> Pairs:
    if not symbols or len(symbols) > _SYMBOLS_PER_REQUEST:
        return []
    return [("symbol", symbols[0])] if len(symbols) == 1 else [("symbols", ",".join(symbols))]


def _find_key_symbols(line: VenueLine) -> frozenset[str] | None:
    """The symbols this key may trade, or None without a key or where the venue does not tell it.

    Not telling closes nothing: an order for a barred symbol is refused by the venue with a definite code.
    """
    if line.connection.credentials is None:
        return None
    try:
        return parse_self_symbols(line.read(SELF_SYMBOLS))
    except (VenueRefused, MalformedAnswer) as error:
        logger.warning("The list of the key's symbols is not available: %s", error.message)
        return None


def read_prices(line: VenueLine, symbols: Sequence[str]) -> list[PriceReport]:
    """Of those symbols that the venue quotes. One symbol and all of them weigh the same, so several means all."""
    if not symbols:
        return []
    pairs = [("symbol", symbols[0])] if len(symbols) == 1 else []
    last = rows_by_symbol(line.read(TICKER_PRICE, pairs))
    book = rows_by_symbol(line.read(BOOK_TICKER, pairs))
    received_at = datetime.now(UTC)
    found: list[PriceReport] = []
    for symbol in dict.fromkeys(symbols):
        if symbol in last:
            found += _find_price(last[symbol], book.get(symbol, {}), received_at)
    return found


def _find_price(last: Mapping[str, Any], book: Mapping[str, Any], at: datetime) -> list[PriceReport]:
    """One report, or none with a warning: a symbol without a price must not hide the prices of the others."""
    try:
        return [parse_price(last, book, at)]
    except MalformedAnswer as error:
        logger.warning("MEXC's price of %s is left out: %s", str(last.get("symbol"))[:20], error.message)
        return []
