"""MEXC's candles: eight columns, the oldest first, of which only those that are closed are told.

A VWAP's plan is made of them, so a list that is not what was asked for is an error, never a shorter list. A request is
for no more candles than the venue gives in one answer whatever its page says (1,000 documented, 500 in practice
[CCXT]), and always names both ends, because the start alone is ignored. What is left out between two candles had no
trade: it becomes a candle of no volume at the price before.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from trading.domain.errors import InvalidInput, VenueError
from trading.domain.money import ZERO
from trading.domain.outcomes import CandleReport

from ..endpoint import Pairs
from ..strict_json import as_list, malformed, read_quantity, read_rounded, read_time
from .constants import CANDLE_PAGE, CANDLE_PAGE_CUTS, CANDLE_WORDS, KLINES
from .line import MexcLine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = timedelta(milliseconds=1)
_COLUMNS = ("openTime", "open", "high", "low", "close", "volume", "closeTime", "quoteVolume")


def read_candles(
    line: MexcLine, symbol: str, interval_minutes: int, since: datetime, until: datetime, now: datetime
) -> list[CandleReport]:
    """Those that opened at or after `since` and closed by `until` and by `now`, the venue's time."""
    word = CANDLE_WORDS.get(interval_minutes)
    if word is None:
        known = ", ".join(map(str, CANDLE_WORDS))
        raise InvalidInput(
            f"There are no candles of {interval_minutes} minutes.", remedy=f"Ask for one of {known}."
        )
    length = timedelta(minutes=interval_minutes)
    begin = since + (_EPOCH - since) % length
    end = min(until, now)
    end -= (end - _EPOCH) % length
    found: list[CandleReport] = []
    while begin < end:
        stop = min(begin + CANDLE_PAGE * length, end)
        found += _read_page(line, [("symbol", symbol), ("interval", word)], length, begin, stop)
        begin = stop
    return _fill_holes(found, length)


def _read_page(
    line: MexcLine, pairs: Pairs, length: timedelta, begin: datetime, stop: datetime
) -> list[CandleReport]:
    """All candles that opened from `begin` to before `stop`. A millisecond before it, because nothing says whether the
    venue counts the end of a window in."""
    window = [("startTime", _stamp(begin)), ("endTime", _stamp(stop - _MOMENT)), ("limit", str(CANDLE_PAGE))]
    page = parse_candles(line.read(KLINES, [*pairs, *window]), length)
    inside = [candle for candle in page if begin <= candle.open_at < stop]
    is_complete = len(inside) == (stop - begin) // length
    if not is_complete and (len(inside) < len(page) or len(page) in CANDLE_PAGE_CUTS):
        raise VenueError(
            f"The list of candles from {begin:%Y-%m-%d %H:%M} may be cut: {len(page)} rows, {len(inside)} of them of "
            "the time that was asked for.",
            remedy="Ask again later, or do without candles.",
            code="candles_cut",
        )
    return inside


def _fill_holes(candles: list[CandleReport], length: timedelta) -> list[CandleReport]:
    filled = candles[:1]
    for candle in candles[1:]:
        price = filled[-1].last
        while (opens := filled[-1].close_at) < candle.open_at:
            filled.append(CandleReport(opens, opens + length, price, price, price, price, ZERO, ZERO))
        filled.append(candle)
    return filled


def parse_candles(value: Any, length: timedelta) -> list[CandleReport]:
    """Raises MalformedAnswer for a row that is no candle, or for rows that are not in order, each once."""
    candles = [_parse_candle(row, length) for row in as_list(value, "klines")]
    for before, after in itertools.pairwise(candles):
        if after.open_at <= before.open_at:
            raise malformed("openTime", f"later than {before.open_at}", str(after.open_at))
    return candles


def _parse_candle(value: Any, length: timedelta) -> CandleReport:
    columns = as_list(value, "kline")
    if len(columns) < len(_COLUMNS):
        raise malformed("kline", f"{len(_COLUMNS)} columns", columns)
    row = dict(zip(_COLUMNS, columns, strict=False))
    opens = read_time(row, "openTime")
    if (opens - _EPOCH) % length:
        raise malformed("openTime", f"a whole number of {length}", row["openTime"])
    early = opens + length - read_time(row, "closeTime")
    if not timedelta(0) <= early <= _MOMENT:  # the end itself, or the last millisecond before it
        raise malformed("closeTime", f"{length} after openTime", row["closeTime"])
    candle = CandleReport(
        open_at=opens,
        close_at=opens + length,
        first=read_quantity(row, "open"),
        high=read_quantity(row, "high"),
        low=read_quantity(row, "low"),
        last=read_quantity(row, "close"),
        volume=read_rounded(row, "volume"),
        quote_volume=read_rounded(row, "quoteVolume"),
    )
    inner = sorted((candle.first, candle.last))
    if not 0 < candle.low <= inner[0] <= inner[1] <= candle.high:
        raise malformed("low and high", "above zero and around open and close", f"{candle.low} {candle.high}")
    if candle.volume < 0 or candle.quote_volume < 0:
        raise malformed("volume", "a number that is not negative", candle.volume)
    return candle


def _stamp(at: datetime) -> str:
    return str((at - _EPOCH) // timedelta(milliseconds=1))
