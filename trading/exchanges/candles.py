"""Candles in order, closed and without a hole: what every venue's adapter does alike with pages of rows.

A VWAP's plan is made of them, so a list that is not what was asked for is an error, never a shorter list. A request is
for no more candles than the venue surely gives in one answer. What is left out between two candles had no trade: it
becomes a candle of no volume at the price before. A venue adds its words for lengths, its page and how one is asked
for. Pure but for `fetch`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from trading.domain.errors import InvalidInput, VenueError
from trading.domain.money import ZERO
from trading.domain.outcomes import CandleReport

from .strict_json import JsonObject, as_list, malformed, read_quantity, read_rounded, read_time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)
_COLUMNS = ("openTime", "open", "high", "low", "close", "volume", "closeTime", "quoteVolume")


@dataclass(frozen=True, slots=True)
class CandlePages:
    """`words` by minutes; `size` candles are asked for at once; a page of so many rows as in `cuts` may be cut."""

    words: Mapping[int, str]
    size: int
    cuts: frozenset[int]


# Asked with the venue's word, the length, and the first and last instant at which a candle may open.
FetchCandles = Callable[[str, timedelta, datetime, datetime], list[CandleReport]]


def collect_candles(
    pages: CandlePages,
    fetch: FetchCandles,
    interval_minutes: int,
    since: datetime,
    until: datetime,
    now: datetime,
) -> list[CandleReport]:
    """Those that opened at or after `since` and closed by `until` and by `now`, the venue's time."""
    word = pages.words.get(interval_minutes)
    if word is None:
        known = ", ".join(map(str, pages.words))
        raise InvalidInput(
            f"There are no candles of {interval_minutes} minutes.", remedy=f"Ask for one of {known}."
        )
    length = timedelta(minutes=interval_minutes)
    begin = since + (EPOCH - since) % length
    end = min(until, now)
    end -= (end - EPOCH) % length
    found: list[CandleReport] = []
    while begin < end:
        stop = min(begin + pages.size * length, end)
        # A millisecond before the end, because nothing says whether the venue counts the end of a window in.
        page = fetch(word, length, begin, stop - MOMENT)
        found += _complete(page, pages.cuts, length, begin, stop)
        begin = stop
    return _fill_holes(found, length)


def _complete(
    page: list[CandleReport], cuts: frozenset[int], length: timedelta, begin: datetime, stop: datetime
) -> list[CandleReport]:
    """All candles that opened from `begin` to before `stop`, or an error."""
    inside = [candle for candle in page if begin <= candle.open_at < stop]
    is_complete = len(inside) == (stop - begin) // length
    if not is_complete and (len(inside) < len(page) or len(page) in cuts):
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
    """Rows of eight columns or more, as MEXC and Binance send them, the oldest first.

    Raises MalformedAnswer for a row that is no candle, or for rows that are not in order, each once.
    """
    return in_order([_parse_row(row, length) for row in as_list(value, "klines")])


def in_order(candles: list[CandleReport]) -> list[CandleReport]:
    for before, after in itertools.pairwise(candles):
        if after.open_at <= before.open_at:
            raise malformed("openTime", f"later than {before.open_at}", str(after.open_at))
    return candles


def _parse_row(value: Any, length: timedelta) -> CandleReport:
    columns = as_list(value, "kline")
    if len(columns) < len(_COLUMNS):
        raise malformed("kline", f"{len(_COLUMNS)} columns", columns)
    row = dict(zip(_COLUMNS, columns, strict=False))
    candle = make_candle(row, length)
    early = candle.close_at - read_time(row, "closeTime")
    if not timedelta(0) <= early <= MOMENT:  # the end itself, or the last millisecond before it
        raise malformed("closeTime", f"{length} after openTime", row["closeTime"])
    return candle


def make_candle(row: JsonObject, length: timedelta) -> CandleReport:
    """From openTime, open, high, low, close, volume and quoteVolume. Raises MalformedAnswer for what cannot be."""
    opens = read_time(row, "openTime")
    if (opens - EPOCH) % length:
        raise malformed("openTime", f"a whole number of {length}", row["openTime"])
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


def stamp(at: datetime) -> str:
    """Milliseconds since 1970, as the venues want them."""
    return str((at - EPOCH) // MOMENT)
