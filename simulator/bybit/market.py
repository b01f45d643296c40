"""Bybit's public endpoints: time, listings, tickers, book, candles, tape; all views of the seeded market."""

from __future__ import annotations

import time
from decimal import Decimal
from itertools import islice

from simulator.bybit.call import BybitCall, Shape
from simulator.bybit.errors import bad_parameter
from simulator.bybit.shapes import dollars_of, listing_shape
from simulator.core.money import plain, round_down
from simulator.core.rows import Listing, SimSide
from simulator.core.volumes import MINUTE

HOUR, DAY = 60, 1_440
INTERVALS = {str(minutes): minutes for minutes in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)}
INTERVALS |= {"D": DAY, "W": 7 * DAY, "M": 30 * DAY}
SHARE_STEP = Decimal("0.0001")


def get_time(call: BybitCall) -> Shape:
    nanoseconds = call.now_ms * 1_000_000 + time.time_ns() % 1_000_000
    return {"timeSecond": str(call.now_ms // 1_000), "timeNano": str(nanoseconds)}


def get_instruments(call: BybitCall) -> Shape:
    """Only what trades, unless a symbol or a status is named. There are no derivatives: their lists are empty."""
    category = call.need_category()
    if category != "spot":
        return {"category": category, "list": [], "nextPageCursor": ""}
    symbol, status = call.find_symbol(), call.find("status")
    wanted = [
        listing_shape(listing) for listing in call.venue.listings.values() if symbol in (None, listing.symbol)
    ]
    if symbol is None:
        wanted = [shape for shape in wanted if shape["status"] == (status or "Trading")]
    return {"category": "spot", "list": wanted}


# -- prices --------------------------------------------------------------------------------------------------------


def _ticker(call: BybitCall, listing: Listing) -> Shape:
    (bid, bid_left), (ask, ask_left) = (
        call.market.best(listing, side) for side in (SimSide.SELL, SimSide.BUY)
    )
    day = call.market.last_day(listing)
    ticker = {
        "symbol": listing.symbol,
        "bid1Price": plain(bid),
        "bid1Size": plain(bid_left),
        "ask1Price": plain(ask),
        "ask1Size": plain(ask_left),
        "lastPrice": plain(day.closed),
        "prevPrice24h": plain(day.opened),
        "price24hPcnt": plain(round_down((day.closed - day.opened) / day.opened, SHARE_STEP)),
        "highPrice24h": plain(day.high),
        "lowPrice24h": plain(day.low),
        "turnover24h": plain(day.turnover),
        "volume24h": plain(day.volume),
    }
    in_dollars = dollars_of(call.venue, listing.base)
    return ticker | ({"usdIndexPrice": plain(in_dollars)} if in_dollars else {})


def get_tickers(call: BybitCall) -> Shape:
    category = call.need_category()
    if category != "spot":
        return {"category": category, "list": []}
    symbol = call.find_symbol()
    shown = [listing for listing in call.venue.listings.values() if symbol in (None, listing.symbol)]
    return {"category": "spot", "list": [_ticker(call, listing) for listing in shown]}


def get_order_book(call: BybitCall) -> Shape:
    listing, limit = call.listing(), call.limit(1, 1_000)
    sides = {
        name: [
            [plain(price), plain(left)] for price, left in islice(call.market.iter_book(listing, side), limit)
        ]
        for name, side in (("b", SimSide.SELL), ("a", SimSide.BUY))
    }
    number = call.market.book_number()
    return {"s": listing.symbol, **sides, "ts": call.now_ms, "u": number, "seq": number, "cts": call.now_ms}


def get_price_limit(call: BybitCall) -> Shape:
    listing = call.listing()
    last = call.venue.last_price(listing.symbol)
    return {
        "symbol": listing.symbol,
        "buyLmt": plain(round_down(last * (1 + listing.bid_multiplier_up), listing.tick)),
        "sellLmt": plain(round_down(last * (1 - listing.ask_multiplier_down), listing.tick)),
        "ts": str(call.now_ms),
    }


# -- candles and tape ----------------------------------------------------------------------------------------------


def get_klines(call: BybitCall) -> Shape:
    """The newest first; with a start, those from there on."""
    listing, interval, limit = call.listing(), call.need("interval"), call.limit(200, 1_000)
    if interval not in INTERVALS:
        raise bad_parameter("interval invalid")
    length = INTERVALS[interval] * MINUTE
    opens = call.market.list_opens(length, call.find_whole("start"), call.find_whole("end"), limit)
    candles = [call.market.candle(listing, opens_ms, length) for opens_ms in reversed(opens)]
    rows = [
        [str(candle.opens_ms)]
        + [
            plain(number)
            for number in (
                candle.opened,
                candle.high,
                candle.low,
                candle.closed,
                candle.volume,
                candle.turnover,
            )
        ]
        for candle in candles
    ]
    return {"category": "spot", "symbol": listing.symbol, "list": rows}


def get_recent_trades(call: BybitCall) -> Shape:
    listing = call.listing()
    rows = [
        {
            "execId": str(2_290_000_000_000_000_000 + seen.tick),
            "symbol": listing.symbol,
            "price": plain(seen.price),
            "size": plain(seen.quantity),
            "side": "Buy" if seen.side is SimSide.BUY else "Sell",
            "time": str(seen.at_ms),
            "isBlockTrade": False,
            "isRPITrade": False,
            "seq": str(seen.tick),
        }
        for seen in call.market.tape(listing, call.limit(60, 60))
    ]
    return {"category": "spot", "list": rows}
