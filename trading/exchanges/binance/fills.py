"""Binance's fills: the newest page first, which is usually all there is, and windows of a day for what lies before.

Fills of one order are paged by their numbers, which rise. No question names both an order and a time, because the venue
takes no such question.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from trading.domain.errors import MalformedAnswer
from trading.domain.outcomes import FillReport

from ..candles import EPOCH, MOMENT
from ..endpoint import Pairs, VenueEndpoint
from ..fill_windows import collect_fills
from ..line import VenueLine
from .constants import (
    FILL_PAGE,
    FILL_PAGE_CUTS,
    FILL_WINDOW_MS,
    FILLS_REACH_DAYS,
    MY_TRADES,
    TRADES_OF_ORDER,
)
from .order_form import order_number
from .parse import join_id, number_of, parse_fills

_AHEAD_MS = 5000  # our clock reads late by design: look this far past it
_DAY_MS = 86_400_000


def read_fills(line: VenueLine, symbol: str, since: datetime | None) -> list[FillReport]:
    """Every fill of the symbol since the instant, oldest first."""
    now_ms = line.venue_time_ms()
    start_ms = now_ms - FILLS_REACH_DAYS * _DAY_MS if since is None else _to_ms(since)
    newest = _read_page(line, MY_TRADES, symbol, [])
    is_all = len(newest) < FILL_PAGE and len(newest) not in FILL_PAGE_CUTS
    found = {fill.venue_fill_id: fill for fill in newest}
    if not is_all:
        end_ms = _to_ms(min(fill.filled_at for fill in newest))
        windows = _windows(start_ms, min(end_ms, now_ms + _AHEAD_MS))
        older = collect_fills(
            lambda first, last: _read_window(line, symbol, first, last), windows, FILL_PAGE_CUTS
        )
        found |= {fill.venue_fill_id: fill for fill in older}
    return _in_order(fill for fill in found.values() if since is None or fill.filled_at >= since)


def _windows(start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Of a day at the most, each with the end of the one before; none if there is nothing before the newest page."""
    steps = range(start_ms, end_ms, FILL_WINDOW_MS - 1)
    return [(first, min(first + FILL_WINDOW_MS - 1, end_ms)) for first in steps]


def read_fills_of_order(line: VenueLine, symbol: str, exchange_order_id: str) -> list[FillReport]:
    """Every fill of one order, oldest first."""
    number = order_number(symbol, exchange_order_id)
    found: dict[str, FillReport] = {}
    from_id = 0
    while True:
        page = _read_page(line, TRADES_OF_ORDER, symbol, [("orderId", number), ("fromId", str(from_id))])
        for fill in page:
            if fill.exchange_order_id != join_id(symbol, int(number)):
                raise MalformedAnswer("The list of fills holds one of another order.", field="fills")
        known = len(found)
        found |= {fill.venue_fill_id: fill for fill in page}
        if len(page) < FILL_PAGE or len(found) == known:
            return _in_order(found.values())
        from_id = max(_number(fill) for fill in page) + 1


def _read_window(line: VenueLine, symbol: str, first_ms: int, last_ms: int) -> list[FillReport]:
    return _read_page(line, MY_TRADES, symbol, [("startTime", str(first_ms)), ("endTime", str(last_ms))])


def _read_page(line: VenueLine, endpoint: VenueEndpoint, symbol: str, pairs: Pairs) -> list[FillReport]:
    found = parse_fills(line.read(endpoint, [("symbol", symbol), *pairs, ("limit", str(FILL_PAGE))]))
    if any(fill.symbol != symbol for fill in found):
        raise MalformedAnswer("The list of fills holds one of another symbol.", field="fills")
    return found


def _number(fill: FillReport) -> int:
    return int(number_of(fill.venue_fill_id, fill.symbol))


def _in_order(fills: Iterable[FillReport]) -> list[FillReport]:
    return sorted(fills, key=lambda fill: (fill.filled_at, _number(fill)))


def _to_ms(at: datetime) -> int:
    return (at - EPOCH) // MOMENT
