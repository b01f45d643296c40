"""MEXC's candles: how a page of them is asked for.

A request is for no more candles than the venue gives in one answer whatever its page says (1,000 documented, 500 in
practice [CCXT]), and always names both ends, because the start alone is ignored.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from trading.domain.outcomes import CandleReport

from ..candles import CandlePages, collect_candles, parse_candles, stamp
from ..line import VenueLine
from .constants import CANDLE_PAGE, CANDLE_PAGE_CUTS, CANDLE_WORDS, KLINES

_PAGES = CandlePages(CANDLE_WORDS, CANDLE_PAGE, CANDLE_PAGE_CUTS)


def read_candles(
    line: VenueLine, symbol: str, interval_minutes: int, since: datetime, until: datetime, now: datetime
) -> list[CandleReport]:
    """Those that opened at or after `since` and closed by `until` and by `now`, the venue's time."""

    def fetch(word: str, length: timedelta, first: datetime, last: datetime) -> list[CandleReport]:
        window = [("startTime", stamp(first)), ("endTime", stamp(last)), ("limit", str(CANDLE_PAGE))]
        return parse_candles(line.read(KLINES, [("symbol", symbol), ("interval", word), *window]), length)

    return collect_candles(_PAGES, fetch, interval_minutes, since, until, now)
