"""Candles of MEXC: what is asked, what is believed, what is refused."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.exchanges.mexc.asking import SYMBOL
from trading.domain.errors import InvalidInput, MalformedAnswer, VenueError
from trading.exchanges.candles import parse_candles

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


@pytest.mark.parametrize(
    "rows",
    [
        {"code": 1},
        [ROW[:7]],
        [row(volume="-1")],
        [row(volume="NaN")],
        [row(quoteVolume="-1")],
        [row(open=None)],
        [row(low="0")],
        [row(high="8")],
        [row(close="13")],
        [row(closeTime=OPEN_MS + 60_000)],
        [row(openTime="soon")],
        [ROW, ROW],
        [later(1), ROW],
        [row(openTime=OPEN_MS + 60_000, closeTime=OPEN_MS + 960_000)],
    ],
)
def test_what_is_no_list_of_candles_is_refused(rows):
    with pytest.raises(MalformedAnswer):
        parse_candles(rows, QUARTER)


def at(candles: int) -> datetime:
    """So many candles after the first row's."""
    return datetime.fromtimestamp(OPEN_MS // 1000, UTC) + candles * QUARTER


def answer(venue, *pages):
    """What the venue says to the next questions."""
    rule = {"match": {"path": "/api/v3/klines"}, "kind": "malformed"}
    venue.faults([{**rule, "body": json.dumps(page), "after": n, "count": 1} for n, page in enumerate(pages)])


def test_a_week_of_quarters_is_complete_and_only_closed_ones_are_told(exchange, venue):
    until = datetime.now(UTC)
    since = until - timedelta(days=7)
    candles = exchange.fetch_candles(SYMBOL, interval_minutes=15, since=since, until=until)
    assert len(candles) in (671, 672)
    assert candles[0].open_at >= since and candles[-1].close_at <= until
    assert all(after.open_at - before.open_at == QUARTER for before, after in itertools.pairwise(candles))
    assert min(candle.volume for candle in candles) > 0


def test_no_more_is_asked_for_than_one_answer_holds_and_both_ends_are_named(exchange, venue):
    until = datetime.now(UTC)
    candles = exchange.fetch_candles(SYMBOL, interval_minutes=5, since=until - timedelta(days=4), until=until)
    assert len(candles) in (1151, 1152) and len({candle.open_at for candle in candles}) == len(candles)
    asked = [row["params"] for row in venue.requests(path="/api/v3/klines")]
    assert {row["interval"] for row in asked} == {"5m"}
    spans = [int(row["endTime"]) + 1 - int(row["startTime"]) for row in asked]
    assert spans[:2] == [500 * 300_000] * 2 and len(spans) == 3
    assert [row["startTime"] for row in asked[1:]] == [str(int(row["endTime"]) + 1) for row in asked[:-1]]


def test_a_candle_that_is_still_open_is_not_told(exchange):
    later = datetime.now(UTC) + timedelta(hours=2)
    candles = exchange.fetch_candles(
        SYMBOL, interval_minutes=60, since=later - timedelta(hours=5), until=later
    )
    assert len(candles) in (2, 3) and candles[-1].close_at <= datetime.now(UTC)


def test_nothing_is_asked_about_no_time_and_candles_of_odd_length(exchange, venue):
    assert exchange.fetch_candles(SYMBOL, interval_minutes=15, since=at(0), until=at(1) - QUARTER / 2) == []
    with pytest.raises(InvalidInput, match="60"):
        exchange.fetch_candles(SYMBOL, interval_minutes=7, since=at(0), until=at(9))
    assert venue.requests(path="/api/v3/klines") == []


def test_what_is_left_out_between_two_candles_had_no_trade(exchange, venue):
    answer(venue, [later(1), later(4)])
    candles = exchange.fetch_candles(SYMBOL, interval_minutes=15, since=at(0), until=at(6))
    assert [candle.open_at for candle in candles] == [at(1), at(2), at(3), at(4)]
    assert [candle.volume for candle in candles] == [Decimal("5.5"), 0, 0, Decimal("5.5")]
    assert candles[1].first == candles[2].high == candles[2].last == candles[0].last


@pytest.mark.parametrize(
    "page",
    [
        [later(number) for number in range(100)],
        [later(number) for number in range(100, 600)],
        [later(number) for number in range(700, 703)],
        [later(-1), *(later(number) for number in range(50))],
    ],
    ids=["a round number of rows", "the newest of more", "the end ignored", "the start ignored"],
)
def test_a_list_that_may_be_cut_is_an_error_and_not_a_shorter_list(exchange, venue, page):
    answer(venue, page)
    with pytest.raises(VenueError) as caught:
        exchange.fetch_candles(SYMBOL, interval_minutes=15, since=at(0), until=at(600))
    assert caught.value.code == "candles_cut" and caught.value.remedy


def test_a_second_page_that_fails_fails_the_list(exchange, venue):
    answer(venue, [later(number) for number in range(500)], {"code": 0, "data": []})
    with pytest.raises(MalformedAnswer, match="klines"):
        exchange.fetch_candles(SYMBOL, interval_minutes=15, since=at(0), until=at(600))


def test_an_hour_trades_what_its_quarters_trade(exchange):
    until = datetime.now(UTC)
    hours = exchange.fetch_candles(
        SYMBOL, interval_minutes=60, since=until - timedelta(hours=30), until=until
    )
    quarters = exchange.fetch_candles(
        SYMBOL, interval_minutes=15, since=hours[0].open_at, until=hours[-1].close_at
    )
    assert len(quarters) == 4 * len(hours)
    for number, hour in enumerate(hours):
        assert hour.volume == sum(candle.volume for candle in quarters[4 * number : 4 * number + 4])
