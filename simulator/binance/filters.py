"""A symbol's filters: how they are written, and the checks of those that the exchange beneath does not make itself.

Bounds of price and quantity follow from the steps, so that every symbol has them without a table of its own.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.binance.errors import BinanceWireRefusal, filtered, notional_filter
from simulator.binance.shapes import Shape, fixed
from simulator.core.money import ZERO
from simulator.core.rows import Listing, SimOrderType, SimSide
from simulator.core.rules import SimOrderRequest

PRICE_STEPS, QUANTITY_STEPS, MARKET_STEPS = 10**8, 9 * 10**8, 10**7
# The far sides of the band, which nobody needs but a typing mistake meets.
BID_DOWN, ASK_UP = Decimal("0.2"), Decimal(5)
AVERAGE_MINUTES = 5
OPEN_ORDERS = 200


def filter_rows(listing: Listing) -> list[Shape]:
    tick, step = listing.tick, listing.step
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": fixed(tick),
            "maxPrice": fixed(tick * PRICE_STEPS),
            "tickSize": fixed(tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": fixed(step),
            "maxQty": fixed(step * QUANTITY_STEPS),
            "stepSize": fixed(step),
        },
        {"filterType": "ICEBERG_PARTS", "limit": 100},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": fixed(ZERO),
            "maxQty": fixed(step * MARKET_STEPS),
            "stepSize": fixed(ZERO),
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": 10,
            "maxTrailingAboveDelta": 2_000,
            "minTrailingBelowDelta": 10,
            "maxTrailingBelowDelta": 2_000,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": f"{listing.bid_multiplier_up.normalize():f}",
            "bidMultiplierDown": f"{BID_DOWN:f}",
            "askMultiplierUp": f"{ASK_UP:f}",
            "askMultiplierDown": f"{listing.ask_multiplier_down.normalize():f}",
            "avgPriceMins": AVERAGE_MINUTES,
        },
        _notional_row(listing),
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": OPEN_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
    ]


def _notional_row(listing: Listing) -> Shape:
    name = notional_filter(listing.symbol)
    row: Shape = {"filterType": name, "minNotional": fixed(listing.min_notional)}
    if name == "MIN_NOTIONAL":
        return row | {"applyToMarket": True, "avgPriceMins": AVERAGE_MINUTES}
    return row | {
        "applyMinToMarket": True,
        "maxNotional": fixed(listing.max_notional),
        "applyMaxToMarket": True,
        "avgPriceMins": AVERAGE_MINUTES,
    }


def check_filters(request: SimOrderRequest, listing: Listing, last_price: Decimal) -> None:
    if request.quantity is not None:
        _check_quantity(request, listing)
    if request.price is not None:
        _check_price(request, listing, last_price)


def _check_quantity(request: SimOrderRequest, listing: Listing) -> None:
    quantity = request.quantity or ZERO
    if not quantity:
        raise BinanceWireRefusal(400, -1013, "Invalid quantity.")
    if quantity > listing.step * QUANTITY_STEPS:
        raise filtered("LOT_SIZE")
    if request.type is SimOrderType.MARKET and quantity > listing.step * MARKET_STEPS:
        raise filtered("MARKET_LOT_SIZE")


def _check_price(request: SimOrderRequest, listing: Listing, last_price: Decimal) -> None:
    price = request.price or ZERO
    if not price:
        raise BinanceWireRefusal(400, -1013, "Invalid price.")
    if not listing.tick <= price <= listing.tick * PRICE_STEPS:
        raise filtered("PRICE_FILTER")
    is_buy = request.side is SimSide.BUY
    if (is_buy and price < last_price * BID_DOWN) or (not is_buy and price > last_price * ASK_UP):
        raise filtered("PERCENT_PRICE_BY_SIDE")
