"""Bybit's candles: seven columns without a closing time, the newest first; how a page of them is asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from trading.domain.outcomes import CandleReport

from ..candles import CandlePages, collect_candles, in_order, make_candle, stamp
from ..line import VenueLine
from ..strict_json import as_list, malformed
from .constants import CANDLE_PAGE, CANDLE_WORDS, CATEGORY, KLINES
from .parse import rows_of

_PAGES = CandlePages(CANDLE_WORDS, CANDLE_PAGE, frozenset({CANDLE_PAGE}))
_COLUMNS = ("openTime", "open", "high", "low", "close", "volume", "quoteVolume")


def read_candles(
    line: VenueLine, symbol: str, interval_minutes: int, since: datetime, until: datetime, now: datetime
) -> list[CandleReport]:
    """Those that opened at or after `since` and closed by `until` and by `now`, the venue's time."""

    def fetch(word: str, length: timedelta, first: datetime, last: datetime) -> list[CandleReport]:
        what = [("category", CATEGORY), ("symbol", symbol), ("interval", word)]
        window = [("start", stamp(first)), ("end", stamp(last)), ("limit", str(CANDLE_PAGE))]
        return parse_candles(line.read(KLINES, [*what, *window]), length)

    return collect_candles(_PAGES, fetch, interval_minutes, since, until, now)


def parse_candles(value: Any, length: timedelta) -> list[CandleReport]:
    """The oldest first. Raises MalformedAnswer for a row that is no candle, or for rows not in order, each once."""
    return in_order([_parse_row(row, length) for row in reversed(rows_of(value))])


def _parse_row(value: Any, length: timedelta) -> CandleReport:
    columns = as_list(value, "kline")
    if len(columns) < len(_COLUMNS):
        raise malformed("kline", f"{len(_COLUMNS)} columns", columns)
    return make_candle(dict(zip(_COLUMNS, columns, strict=False)), length)
