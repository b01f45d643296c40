"""Candles of MEXC: what is asked, what is believed, what is refused."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.exchanges.mexc.asking import SYMBOL
from trading.domain.errors import MalformedAnswer
from trading.exchanges.mexc.candles import parse_candles

QUARTER = timedelta(minutes=15)
OPEN_MS = 1_700_000_100_000
ROW = [OPEN_MS, "10", "12", "9", "11", "5.5", OPEN_MS + 900_000, "60"]


def row(**changes):
    names = ("openTime", "open", "high", "low", "close", "volume", "closeTime", "quoteVolume")
    return [changes.get(name, value) for name, value in zip(names, ROW, strict=True)]


def later(candles: int) -> list[object]:
    shift = candles * 900_000
    return row(openTime=OPEN_MS + shift, closeTime=OPEN_MS + shift + 900_000)


def test_a_row_becomes_a_candle():
    (candle,) = parse_candles([ROW], QUARTER)
    assert candle.open_at == datetime(2023, 11, 14, 22, 15, tzinfo=UTC)
    assert candle.close_at - candle.open_at == QUARTER
    assert (candle.volume, candle.quote_volume) == (Decimal("5.5"), Decimal(60))
    assert parse_candles([row(closeTime=OPEN_MS + 899_999)], QUARTER) == [candle]


def test_a_candle_without_a_trade_may_be_missing():
    assert len(parse_candles([ROW, later(1), later(4)], QUARTER)) == 3


@pytest.mark.parametrize(
    "rows",
    [
        {"code": 1},
        [ROW[:7]],
        [row(volume="-1")],
        [row(volume="NaN")],
        [row(high="8")],
        [row(close="13")],
        [row(closeTime=OPEN_MS + 60_000)],
        [row(openTime="soon")],
        [ROW, ROW],
        [later(1), ROW],
        [ROW, row(openTime=OPEN_MS + 60_000, closeTime=OPEN_MS + 960_000)],
    ],
)
def test_what_is_no_list_of_candles_is_refused(rows):
    with pytest.raises(MalformedAnswer):
        parse_candles(rows, QUARTER)


def test_a_week_of_quarters_is_complete_and_only_closed_ones_are_told(exchange, venue):
    until = datetime.now(UTC)
    since = until - timedelta(days=7)
    candles = exchange.fetch_candles(SYMBOL, interval_minutes=15, since=since, until=until)
    assert len(candles) in (671, 672)
    assert candles[0].open_at >= since and candles[-1].close_at <= until
    assert all(after.open_at - before.open_at == QUARTER for before, after in itertools.pairwise(candles))
    assert len(venue.requests(path="/api/v3/klines")) == 1


def test_a_longer_list_is_asked_for_page_by_page(exchange, venue):
    until = datetime.now(UTC)
    candles = exchange.fetch_candles(SYMBOL, interval_minutes=5, since=until - timedelta(days=7), until=until)
    assert len(candles) in (2015, 2016) and len({candle.open_at for candle in candles}) == len(candles)
    assert len(venue.requests(path="/api/v3/klines")) == 3


def test_an_hour_trades_what_its_quarters_trade(exchange):
    until = datetime.now(UTC)
    hours = exchange.fetch_candles(
        SYMBOL, interval_minutes=60, since=until - timedelta(hours=30), until=until
    )
    quarters = exchange.fetch_candles(
        SYMBOL, interval_minutes=15, since=hours[0].open_at, until=hours[-1].close_at
    )
    assert len(quarters) == 4 * len(hours)
    lots = Decimal("0.00001")  # each is rounded down by itself
    for number, hour in enumerate(hours):
        parts = sum(candle.volume for candle in quarters[4 * number : 4 * number + 4])
        assert abs(hour.volume - parts) < lots
    assert max(hour.volume for hour in hours) > 2 * min(hour.volume for hour in hours)
