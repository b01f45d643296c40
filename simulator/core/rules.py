"""The venue's rules for a new order that do not depend on who asks: status, sides, types, scales, notional, band.

Pure: a listing, a request and the last price in, `SimRefusal` or nothing out. The order of the checks is the order in
which a client learns of its mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from simulator.core.money import ZERO, decimals_of, round_down
from simulator.core.refusals import RefusalReason, SimRefusal
from simulator.core.rows import Listing, SimOrderType, SimSide

CLOSED_SIDES: dict[int, frozenset[SimSide]] = {
    1: frozenset(),
    2: frozenset({SimSide.SELL}),
    3: frozenset({SimSide.BUY}),
    4: frozenset({SimSide.BUY, SimSide.SELL}),
}


@dataclass(frozen=True, slots=True)
class SimOrderRequest:
    symbol: str
    side: SimSide
    type: SimOrderType
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    client_order_id: str | None = None


def check_order(request: SimOrderRequest, listing: Listing, last_price: Decimal) -> None:
    _check_open(request, listing)
    _check_scales(request, listing)
    _check_notional(request, listing, last_price)


def _check_open(request: SimOrderRequest, listing: Listing) -> None:
    if not listing.online:
        raise SimRefusal(RefusalReason.TRADING_SUSPENDED)
    if not listing.api_trading:
        raise SimRefusal(RefusalReason.SYMBOL_CLOSED_TO_API)
    if request.side in CLOSED_SIDES[listing.side_type]:
        raise SimRefusal(RefusalReason.SIDE_CLOSED)
    if request.type is SimOrderType.MARKET and not listing.allows_market:
        raise SimRefusal(RefusalReason.TYPE_CLOSED)


def _check_scales(request: SimOrderRequest, listing: Listing) -> None:
    if request.quantity is not None:
        if decimals_of(request.quantity) > listing.quantity_decimals:
            raise SimRefusal(RefusalReason.QUANTITY_SCALE)
        if request.quantity < listing.step:
            raise SimRefusal(RefusalReason.BELOW_MIN_QUANTITY, listing.step)
        if round_down(request.quantity, listing.step) != request.quantity:
            raise SimRefusal(RefusalReason.QUANTITY_SCALE)
    if request.price is not None and decimals_of(request.price) > listing.price_decimals:
        raise SimRefusal(RefusalReason.PRICE_SCALE)
    if request.quote_quantity is not None and request.quote_quantity % listing.budget_step:
        raise SimRefusal(RefusalReason.NOTIONAL_SCALE)


def _check_notional(request: SimOrderRequest, listing: Listing, last_price: Decimal) -> None:
    is_market = request.type is SimOrderType.MARKET
    least = listing.min_notional_market if is_market else listing.min_notional
    most = listing.max_notional_market if is_market else listing.max_notional
    notional = request.quote_quantity
    if notional is None:
        notional = (request.price if request.price is not None else last_price) * (request.quantity or ZERO)
    if notional < least:
        raise SimRefusal(RefusalReason.BELOW_MIN_NOTIONAL, f"{least}{listing.quote}")
    if notional > most:
        raise SimRefusal(RefusalReason.ABOVE_MAX_NOTIONAL, f"{most}{listing.quote}")


def check_band(side: SimSide, price: Decimal | None, listing: Listing, last_price: Decimal) -> None:
    """Multipliers are factors of the last price; a bid multiplier below 1 makes both fractions of it."""
    if price is None:
        return
    up, down = listing.bid_multiplier_up, listing.ask_multiplier_down
    is_fraction = up < 1
    highest = last_price * (1 + up if is_fraction else up)
    lowest = last_price * (1 - down if is_fraction else down)
    if (side is SimSide.BUY and price > highest) or (side is SimSide.SELL and price < lowest):
        raise SimRefusal(RefusalReason.OUTSIDE_PRICE_BAND, f"{highest if side is SimSide.BUY else lowest}")
