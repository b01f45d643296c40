"""MEXC's public endpoints: time, listings, book, tape, candles and tickers, all views of the seeded market."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice

from simulator.core.money import ZERO, plain, round_down
from simulator.core.prices import seeded_integer
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
SAMPLES = 8


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


def iter_book(call: MexcCall, listing: Listing, taker_side: SimSide) -> Iterator[tuple[Decimal, Decimal]]:
    """Price levels that a taker would meet, users' orders and synthetic depth at one price added up."""
    at_price, together = None, ZERO
    for price, left, _ in call.venue.engine.iter_counter_levels(listing, taker_side):
        if at_price is not None and price != at_price:
            yield at_price, together
            together = ZERO
        at_price, together = price, together + left
    if at_price is not None:
        yield at_price, together


def get_depth(call: MexcCall) -> Shape:
    listing, limit = call.listing(), call.limit(100, 5_000)
    sides = {
        name: [[plain(price), plain(left)] for price, left in islice(iter_book(call, listing, side), limit)]
        for name, side in (("bids", SimSide.SELL), ("asks", SimSide.BUY))
    }
    return {"lastUpdateId": call.venue.tick + len(call.venue.fills) + 1, **sides, "timestamp": call.now_ms}


def _best(call: MexcCall, listing: Listing, taker_side: SimSide) -> tuple[Decimal, Decimal]:
    return next(iter_book(call, listing, taker_side), (ZERO, ZERO))


def _book_ticker(call: MexcCall, listing: Listing) -> Shape:
    (bid, bid_left), (ask, ask_left) = _best(call, listing, SimSide.SELL), _best(call, listing, SimSide.BUY)
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
    listing, venue = call.listing(), call.venue
    ticks = 5 * MINUTE // venue.clock.nominal_ms
    sampled = [
        venue.prices.process_price(listing, venue.tick - back)
        for back in range(0, ticks, max(1, ticks // 30))
    ]
    pinned = venue.prices.pins.get(listing.symbol)
    price = pinned if pinned is not None else round_down(sum(sampled, ZERO) / len(sampled), listing.tick)
    return {"mins": 5, "price": plain(price)}


def _day_ticker(call: MexcCall, listing: Listing) -> Shape:
    last, opened = call.venue.last_price(listing.symbol), _price_at(call, listing, call.now_ms - DAY)
    _, _, high, low, _, volume, _, turnover = _candle(call, listing, call.now_ms - DAY, DAY)
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
        "highPrice": plain(max(Decimal(str(high)), last)),
        "lowPrice": plain(min(Decimal(str(low)), last)),
        "volume": volume,
        "quoteVolume": turnover,
        "openTime": call.now_ms - DAY,
        "closeTime": call.now_ms,
        "count": None,
    }


def get_day_ticker(call: MexcCall) -> Shape | list[Shape]:
    return _one_or_all(call, _day_ticker)


# -- tape and candles ----------------------------------------------------------------------------------------------


def _tick_at(call: MexcCall, at_ms: int) -> int:
    return call.venue.tick - (call.now_ms - at_ms) // call.venue.clock.nominal_ms


def _price_at(call: MexcCall, listing: Listing, at_ms: int) -> Decimal:
    tick = _tick_at(call, at_ms)
    return (
        call.venue.last_price(listing.symbol)
        if tick >= call.venue.tick
        else call.venue.prices.process_price(listing, tick)
    )


def _candle(call: MexcCall, listing: Listing, opens_ms: int, length_ms: int) -> list[object]:
    ends_ms = min(opens_ms + length_ms, call.now_ms)
    prices = [
        _price_at(call, listing, opens_ms + (ends_ms - opens_ms) * sample // SAMPLES)
        for sample in range(SAMPLES + 1)
    ]
    volume = call.venue.volumes.traded(listing, opens_ms, ends_ms)
    return [
        opens_ms,
        plain(prices[0]),
        plain(max(prices)),
        plain(min(prices)),
        plain(prices[-1]),
        plain(volume),
        opens_ms + length_ms,
        plain(round_down(volume * prices[0], listing.tick)),
    ]


def get_klines(call: MexcCall) -> list[object]:
    listing, interval, limit = call.listing(), call.need("interval"), call.limit(500, 1_000)
    if interval not in INTERVALS:
        raise bad_parameter("interval")
    length = INTERVALS[interval] * MINUTE
    start, end = call.find_whole("startTime"), min(call.find_whole("endTime") or call.now_ms, call.now_ms)
    last_open = end - end % length
    first_open = last_open - (limit - 1) * length if start is None else start + (-start) % length
    opens = range(first_open, last_open + 1, length)[:limit]
    return [_candle(call, listing, opens_ms, length) for opens_ms in opens]


def get_trades(call: MexcCall) -> list[object]:
    listing = call.listing()
    return [
        {
            "id": None,
            "price": plain(price),
            "qty": plain(quantity),
            "quoteQty": plain(price * quantity),
            "time": at_ms,
            "isBuyerMaker": side is SimSide.SELL,
            "isBestMatch": True,
            "tradeType": "ASK" if side is SimSide.SELL else "BID",
        }
        for price, quantity, at_ms, side in _tape(call, listing, call.limit(500, 1_000))
    ]


def get_aggregate_trades(call: MexcCall) -> list[object]:
    listing = call.listing()
    return [
        {
            "a": None,
            "f": None,
            "l": None,
            "p": plain(price),
            "q": plain(quantity),
            "T": at_ms,
            "m": side is SimSide.SELL,
            "M": True,
        }
        for price, quantity, at_ms, side in _tape(call, listing, call.limit(500, 1_000))
    ]


def _tape(call: MexcCall, listing: Listing, limit: int) -> Iterator[tuple[Decimal, Decimal, int, SimSide]]:
    """One public print per tick, newest first: other participants keep trading whatever the users do."""
    for back in range(limit):
        tick = call.venue.tick - back
        price = (
            call.venue.last_price(listing.symbol)
            if back == 0
            else call.venue.prices.process_price(listing, tick)
        )
        drawn = seeded_integer(call.venue.seed, "tape", listing.symbol, tick)
        quantity = max(
            listing.step, round_down(listing.depth_notional * (drawn % 100) / 400 / price, listing.step)
        )
        yield (
            price,
            quantity,
            call.now_ms - back * call.venue.clock.nominal_ms,
            SimSide.SELL if drawn % 2 else SimSide.BUY,
        )
