"""Binance's public endpoints: time, rules, book, tape, candles and tickers, all views of the seeded market."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from simulator.binance.call import Answer, BinanceCall
from simulator.binance.errors import BinanceWireRefusal, bad_combination
from simulator.binance.rules import listing_shape, listing_status, permission_of
from simulator.binance.shapes import Shape, fixed
from simulator.core.market import Candle, Print
from simulator.core.money import ZERO
from simulator.core.rows import Listing, SimSide

SECOND, MINUTE, DAY = 1_000, 60_000, 86_400_000
INTERVALS = {
    "1s": SECOND,
    "1m": MINUTE,
    "3m": 3 * MINUTE,
    "5m": 5 * MINUTE,
    "15m": 15 * MINUTE,
    "30m": 30 * MINUTE,
    "1h": 60 * MINUTE,
    "2h": 120 * MINUTE,
    "4h": 240 * MINUTE,
    "6h": 360 * MINUTE,
    "8h": 480 * MINUTE,
    "12h": 720 * MINUTE,
    "1d": DAY,
    "3d": 3 * DAY,
    "1w": 7 * DAY,
    "1M": 30 * DAY,
}
FIRST_TRADE = 10**9  # so that the market before the first tick has positive numbers too
USUAL_PERMISSIONS = frozenset({"SPOT", "MARGIN", "LEVERAGED"})


def get_ping(call: BinanceCall) -> Answer:
    return {}


def get_time(call: BinanceCall) -> Answer:
    return {"serverTime": call.now_ms}


def get_exchange_info(call: BinanceCall) -> Answer:
    listings, permissions, status = (
        call.find_listings(),
        call.find_texts("permissions"),
        call.find("symbolStatus"),
    )
    if listings is not None and (permissions is not None or status is not None):
        raise bad_combination()
    shows_sets = call.find_flag("showPermissionSets", usual=True)
    wanted = USUAL_PERMISSIONS if permissions is None else frozenset(permissions)
    rows = [
        listing_shape(listing, shows_sets=shows_sets)
        for listing in (call.venue.listings.values() if listings is None else listings)
        if status in (None, listing_status(listing)) and permission_of(listing) in wanted
    ]
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "rateLimits": call.quotas.limit_rows(),
        "exchangeFilters": [],
        "symbols": rows,
    }


def get_no_contracts(call: BinanceCall) -> Answer:
    """No futures here; clients that load spot and futures together find an empty list."""
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [],
    }


def get_no_pairs(call: BinanceCall) -> Answer:
    """No margin trading either."""
    return []


# -- book ----------------------------------------------------------------------------------------------------------


def get_depth(call: BinanceCall) -> Answer:
    listing, limit = call.listing(), call.limit(100, 5_000)
    sides = {
        name: [
            [fixed(price), fixed(left)] for price, left in islice(call.market.iter_book(listing, side), limit)
        ]
        for name, side in (("bids", SimSide.SELL), ("asks", SimSide.BUY))
    }
    return {"lastUpdateId": call.market.book_number(), **sides}


def _book_ticker(call: BinanceCall, listing: Listing) -> Shape:
    bid, bid_left = call.market.best(listing, SimSide.SELL)
    ask, ask_left = call.market.best(listing, SimSide.BUY)
    return {
        "symbol": listing.symbol,
        "bidPrice": fixed(bid),
        "bidQty": fixed(bid_left),
        "askPrice": fixed(ask),
        "askQty": fixed(ask_left),
    }


def get_book_ticker(call: BinanceCall) -> Answer:
    return _one_or_all(call, _book_ticker)


# -- prices --------------------------------------------------------------------------------------------------------


def _one_or_all(call: BinanceCall, shape: Callable[[BinanceCall, Listing], Shape]) -> Answer:
    listings = call.find_listings()
    rows = [
        shape(call, listing) for listing in (call.venue.listings.values() if listings is None else listings)
    ]
    return rows[0] if call.find("symbol") is not None else rows


def _price_ticker(call: BinanceCall, listing: Listing) -> Shape:
    return {"symbol": listing.symbol, "price": fixed(call.venue.last_price(listing.symbol))}


def get_price_ticker(call: BinanceCall) -> Answer:
    return _one_or_all(call, _price_ticker)


def get_average_price(call: BinanceCall) -> Answer:
    return {"mins": 5, "price": fixed(call.market.average(call.listing())), "closeTime": call.now_ms}


def _day_ticker(call: BinanceCall, listing: Listing) -> Shape:
    day, book = call.market.last_day(listing), _book_ticker(call, listing)
    change = day.closed - day.opened
    first, last = (
        FIRST_TRADE + call.venue.tick - DAY // call.venue.clock.nominal_ms,
        FIRST_TRADE + call.venue.tick,
    )
    weighted = day.turnover / day.volume if day.volume else ZERO
    mini: Shape = {
        "symbol": listing.symbol,
        "openPrice": fixed(day.opened),
        "highPrice": fixed(day.high),
        "lowPrice": fixed(day.low),
        "lastPrice": fixed(day.closed),
        "volume": fixed(day.volume),
        "quoteVolume": fixed(day.turnover),
        "openTime": call.now_ms - DAY,
        "closeTime": call.now_ms,
        "firstId": first,
        "lastId": last,
        "count": last - first + 1,
    }
    if call.find("type") == "MINI":
        return mini
    return mini | {
        "priceChange": fixed(change),
        "priceChangePercent": f"{100 * change / day.opened:.3f}",
        "weightedAvgPrice": fixed(weighted),
        "prevClosePrice": fixed(day.opened),
        "lastQty": fixed(listing.step),
        "bidPrice": book["bidPrice"],
        "bidQty": book["bidQty"],
        "askPrice": book["askPrice"],
        "askQty": book["askQty"],
    }


def get_day_ticker(call: BinanceCall) -> Answer:
    if call.find("type") not in (None, "FULL", "MINI"):
        raise BinanceWireRefusal(400, -1139, "Invalid ticker type.")
    return _one_or_all(call, _day_ticker)


# -- tape and candles ----------------------------------------------------------------------------------------------


def get_klines(call: BinanceCall) -> Answer:
    listing, interval, limit = call.listing(), call.need("interval"), call.limit(500, 1_000)
    if interval not in INTERVALS:
        raise BinanceWireRefusal(400, -1120, "Invalid interval.")
    length = INTERVALS[interval]
    opens = call.market.list_opens(length, call.find_time("startTime"), call.find_time("endTime"), limit)
    return [_candle_row(call.market.candle(listing, opens_ms, length), length) for opens_ms in opens]


def _candle_row(candle: Candle, length: int) -> list[object]:
    """The last millisecond of the candle closes it; takers bought half of it."""
    return [
        candle.opens_ms,
        fixed(candle.opened),
        fixed(candle.high),
        fixed(candle.low),
        fixed(candle.closed),
        fixed(candle.volume),
        candle.opens_ms + length - 1,
        fixed(candle.turnover),
        max(1, length // MINUTE),
        fixed(candle.volume / 2),
        fixed(candle.turnover / 2),
        "0",
    ]


def _prints(call: BinanceCall) -> list[Print]:
    """The oldest first."""
    return list(call.market.tape(call.listing(), call.limit(500, 1_000)))[::-1]


def get_trades(call: BinanceCall) -> Answer:
    return [
        {
            "id": FIRST_TRADE + seen.tick,
            "price": fixed(seen.price),
            "qty": fixed(seen.quantity),
            "quoteQty": fixed(seen.price * seen.quantity),
            "time": seen.at_ms,
            "isBuyerMaker": seen.side is SimSide.SELL,
            "isBestMatch": True,
        }
        for seen in _prints(call)
    ]


def get_aggregate_trades(call: BinanceCall) -> Answer:
    return [
        {
            "a": FIRST_TRADE + seen.tick,
            "p": fixed(seen.price),
            "q": fixed(seen.quantity),
            "f": FIRST_TRADE + seen.tick,
            "l": FIRST_TRADE + seen.tick,
            "T": seen.at_ms,
            "m": seen.side is SimSide.SELL,
            "M": True,
        }
        for seen in _prints(call)
    ]
