"""MEXC's candles: eight columns, the oldest first, of which only those that are closed are told.

Order, spacing and length are checked, because a VWAP's plan is made of them: a list that is not what was asked for is
an error, not a shorter list.
"""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from trading.domain.outcomes import CandleReport

from ..strict_json import as_list, malformed, read_quantity, read_rounded, read_time
from .constants import CANDLE_WORDS, KLINES
from .line import MexcLine

PAGE = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MOMENT = timedelta(milliseconds=1)
_COLUMNS = ("openTime", "open", "high", "low", "close", "volume", "closeTime", "quoteVolume")


def read_candles(
    line: MexcLine, symbol: str, interval_minutes: int, since: datetime, until: datetime, now: datetime
) -> list[CandleReport]:
    """Those that opened at or after `since` and closed by `until` and by `now`, the venue's time."""
    word, length = CANDLE_WORDS[interval_minutes], timedelta(minutes=interval_minutes)
    found: list[CandleReport] = []
    begin, end = since, min(until, now)
    while begin + length <= end:
        pairs = [
            ("symbol", symbol),
            ("interval", word),
            ("startTime", _stamp(begin)),
            ("endTime", _stamp(end)),
            ("limit", str(PAGE)),
        ]
        page = parse_candles(line.read(KLINES, pairs), length)
        found += [candle for candle in page if candle.open_at >= begin and candle.close_at <= end]
        if not page or page[-1].open_at < begin:
            break  # the venue has no later ones; that it cut the page says nothing, it may cut at less than asked for
        begin = page[-1].open_at + length
    return found


def parse_candles(value: Any, length: timedelta) -> list[CandleReport]:
    """Raises MalformedAnswer for a row that is no candle, or for rows that do not follow each other."""
    candles = [_parse_candle(row, length) for row in as_list(value, "klines")]
    for before, after in itertools.pairwise(candles):
        if after.open_at <= before.open_at or (after.open_at - before.open_at) % length:
            raise malformed("openTime", "some candles later", str(after.open_at))
    return candles


def _parse_candle(value: Any, length: timedelta) -> CandleReport:
    columns = as_list(value, "kline")
    if len(columns) < len(_COLUMNS):
        raise malformed("kline", f"{len(_COLUMNS)} columns", columns)
    row = dict(zip(_COLUMNS, columns, strict=False))
    opens = read_time(row, "openTime")
    early = opens + length - read_time(row, "closeTime")
    if not timedelta(0) <= early <= _LAST_MOMENT:  # the end itself, or the last millisecond before it
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
    if not candle.low <= inner[0] <= inner[1] <= candle.high:
        raise malformed("low and high", "around open and close", f"{candle.low} {candle.high}")
    if candle.volume < 0 or candle.quote_volume < 0:
        raise malformed("volume", "a number that is not negative", candle.volume)
    return candle


def _stamp(at: datetime) -> str:
    return str((at - _EPOCH) // timedelta(milliseconds=1))
