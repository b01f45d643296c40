"""MEXC's public endpoints: time, listings, book, tape, candles and tickers, all views of the seeded market."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from simulator.core.money import plain
from simulator.core.rows import Listing, SimSide
from simulator.core.volumes import DAY, MINUTE
from simulator.mexc.call import MexcCall
from simulator.mexc.errors import bad_parameter
from simulator.mexc.shapes import Shape, listing_shape

INTERVALS = {
    "1m": 1,
    "5m": 5,
    "15m": 15,
    "30m": 30,
    "60m": 60,
    "4h": 240,
    "1d": 1_440,
    "1W": 10_080,
    "1M": 43_200,
}


def get_ping(call: MexcCall) -> Shape:
    return {}


def get_time(call: MexcCall) -> Shape:
    return {"serverTime": call.now_ms}


def get_default_symbols(call: MexcCall) -> Shape:
    return {
        "code": 200,
        "data": [listing.symbol for listing in call.venue.listings.values() if listing.api_trading],
        "msg": None,
    }


def get_exchange_info(call: MexcCall) -> Shape:
    listings = call.find_listings()
    shown = call.venue.listings.values() if listings is None else listings
    return {
        "timezone": "CST",
        "serverTime": call.now_ms,
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [listing_shape(listing) for listing in shown],
    }


def get_contracts(call: MexcCall) -> Shape:
    """No futures here; clients that load spot and futures together find an empty list."""
    return {"success": True, "code": 0, "data": []}


# -- book ----------------------------------------------------------------------------------------------------------


def get_depth(call: MexcCall) -> Shape:
    listing, limit = call.listing(), call.limit(100, 5_000)
    sides = {
        name: [
            [plain(price), plain(left)] for price, left in islice(call.market.iter_book(listing, side), limit)
        ]
        for name, side in (("bids", SimSide.SELL), ("asks", SimSide.BUY))
    }
    return {"lastUpdateId": call.market.book_number(), **sides, "timestamp": call.now_ms}


def _book_ticker(call: MexcCall, listing: Listing) -> Shape:
    bid, bid_left = call.market.best(listing, SimSide.SELL)
    ask, ask_left = call.market.best(listing, SimSide.BUY)
    return {
        "symbol": listing.symbol,
        "bidPrice": plain(bid),
        "bidQty": plain(bid_left),
        "askPrice": plain(ask),
        "askQty": plain(ask_left),
    }


def get_book_ticker(call: MexcCall) -> Shape | list[Shape]:
    return _one_or_all(call, _book_ticker)


# -- prices --------------------------------------------------------------------------------------------------------


def _one_or_all(call: MexcCall, shape: Callable[[MexcCall, Listing], Shape]) -> Shape | list[Shape]:
    listings = call.find_listings()
    shown = call.venue.listings.values() if listings is None else listings
    rows = [shape(call, listing) for listing in shown]
    return rows[0] if call.find("symbol") and len(rows) == 1 else rows


def _price_ticker(call: MexcCall, listing: Listing) -> Shape:
    return {"symbol": listing.symbol, "price": plain(call.venue.last_price(listing.symbol))}


def get_price_ticker(call: MexcCall) -> Shape | list[Shape]:
    return _one_or_all(call, _price_ticker)


def get_average_price(call: MexcCall) -> Shape:
    return {"mins": 5, "price": plain(call.market.average(call.listing()))}


def _day_ticker(call: MexcCall, listing: Listing) -> Shape:
    day = call.market.last_day(listing)
    last, opened = day.closed, day.opened
    change = last - opened
    ticker = _book_ticker(call, listing)
    return {
        "symbol": listing.symbol,
        "priceChange": plain(change),
        "priceChangePercent": f"{change / opened:.4f}",
        "prevClosePrice": plain(opened),
        "lastPrice": plain(last),
        "bidPrice": ticker["bidPrice"],
        "bidQty": ticker["bidQty"],
        "askPrice": ticker["askPrice"],
        "askQty": ticker["askQty"],
        "openPrice": plain(opened),
        "highPrice": plain(day.high),
        "lowPrice": plain(day.low),
        "volume": plain(day.volume),
        "quoteVolume": plain(day.turnover),
        "openTime": call.now_ms - DAY,
        "closeTime": call.now_ms,
        "count": None,
    }


def get_day_ticker(call: MexcCall) -> Shape | list[Shape]:
    return _one_or_all(call, _day_ticker)


# -- tape and candles ----------------------------------------------------------------------------------------------


def get_klines(call: MexcCall) -> list[object]:
    listing, interval, limit = call.listing(), call.need("interval"), call.limit(500, 1_000)
    if interval not in INTERVALS:
        raise bad_parameter("interval")
    length = INTERVALS[interval] * MINUTE
    opens = call.market.list_opens(length, call.find_whole("startTime"), call.find_whole("endTime"), limit)
    candles = [call.market.candle(listing, opens_ms, length) for opens_ms in opens]
    return [
        [
            candle.opens_ms,
            plain(candle.opened),
            plain(candle.high),
            plain(candle.low),
            plain(candle.closed),
            plain(candle.volume),
            candle.opens_ms + length,
            plain(candle.turnover),
        ]
        for candle in candles
    ]


def get_trades(call: MexcCall) -> list[object]:
    listing = call.listing()
    return [
        {
            "id": None,
            "price": plain(seen.price),
            "qty": plain(seen.quantity),
            "quoteQty": plain(seen.price * seen.quantity),
            "time": seen.at_ms,
            "isBuyerMaker": seen.side is SimSide.SELL,
            "isBestMatch": True,
            "tradeType": "ASK" if seen.side is SimSide.SELL else "BID",
        }
        for seen in call.market.tape(listing, call.limit(500, 1_000))
    ]


def get_aggregate_trades(call: MexcCall) -> list[object]:
    listing = call.listing()
    return [
        {
            "a": None,
            "f": None,
            "l": None,
            "p": plain(seen.price),
            "q": plain(seen.quantity),
            "T": seen.at_ms,
            "m": seen.side is SimSide.SELL,
            "M": True,
        }
        for seen in call.market.tape(listing, call.limit(500, 1_000))
    ]
