"""Bybit's fills: in windows of a week, each in pages by the venue's cursor; every fill once, the oldest first.

By an order's id the venue may leave the window out of account: then each window tells the same fills, which are counted
once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.domain.errors import MalformedAnswer
from trading.domain.outcomes import FillReport

from ..candles import EPOCH
from ..line import VenueLine
from .constants import CATEGORY, EXECUTIONS, FILL_PAGE, FILL_WINDOW_DAYS, FILLS_REACH_DAYS
from .pages import read_pages, windows
from .parse import parse_fills


def read_fills(
    line: VenueLine, symbol: str, since: datetime | None, exchange_order_id: str
) -> list[FillReport]:
    """Every fill of the symbol, or of the one order, since the instant."""
    now_ms = line.venue_time_ms()
    start = since or EPOCH + timedelta(milliseconds=now_ms) - timedelta(days=FILLS_REACH_DAYS)
    named = [("orderId", exchange_order_id)] if exchange_order_id else []
    found: dict[str, FillReport] = {}
    for begin, stop in windows(start, now_ms, FILL_WINDOW_DAYS):
        pairs = [
            ("category", CATEGORY),
            ("symbol", symbol),
            *named,
            ("startTime", str(begin)),
            ("endTime", str(stop)),
            ("limit", str(FILL_PAGE)),
        ]
        for fill in read_pages(line, EXECUTIONS, pairs, parse_fills):
            if fill.symbol != symbol or exchange_order_id not in ("", fill.exchange_order_id):
                raise MalformedAnswer(
                    "The list of fills holds one of another symbol or order.", field="executions"
                )
            found[fill.venue_fill_id] = fill
    kept = [fill for fill in found.values() if since is None or fill.filled_at >= since]
    return sorted(kept, key=lambda fill: (fill.filled_at, fill.venue_fill_id))
