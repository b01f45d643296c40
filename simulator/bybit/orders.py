"""Bybit's order endpoints: place and cancel, which are acknowledged only, and the lists of orders and fills."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from decimal import Decimal

from simulator.bybit.call import BybitCall, Shape
from simulator.bybit.errors import BybitRefusal, bad_parameter
from simulator.bybit.pages import DAY_MS, cursor_after, read_window, take_page
from simulator.bybit.shapes import STATUS_WORDS, fill_shape, ids_shape, most_of, order_shape
from simulator.core.money import ZERO
from simulator.core.rows import EndCause, Listing, SimFill, SimOrder, SimOrderStatus, SimOrderType, SimSide
from simulator.core.rules import SimOrderRequest

ORDER_LINK_ID = re.compile(r"[0-9a-zA-Z_-]{1,36}")
SIDES = {"Buy": SimSide.BUY, "Sell": SimSide.SELL}
LIMIT_TYPES = {
    "GTC": SimOrderType.LIMIT,
    "IOC": SimOrderType.IMMEDIATE_OR_CANCEL,
    "FOK": SimOrderType.FILL_OR_KILL,
    "PostOnly": SimOrderType.LIMIT_MAKER,
}
UNITS = {"baseCoin": False, "quoteCoin": True}  # whether the quantity is one of quote
USUAL_UNITS = {SimSide.BUY: "quoteCoin", SimSide.SELL: "baseCoin"}
# What an acknowledged order may still end of; everything else refuses it at once.
FOUND_OUT_LATER = frozenset({EndCause.PRICE_LIMIT, EndCause.NO_DEPTH})
# Known to the venue and not played here: a client must not believe that it has placed such an order.
NOT_PLAYED = ("triggerPrice", "takeProfit", "stopLoss", "slippageTolerance", "slippageToleranceType")
WINDOW_DAYS = 7
UNFILLED_KEPT_MS = DAY_MS
CLOSED_CACHED = 500
TIMER_MS = 5  # what a timer may be early


# -- place ---------------------------------------------------------------------------------------------------------


def read_order(call: BybitCall) -> SimOrderRequest:
    """Keys that nobody knows are ignored, as the venue ignores them."""
    listing = _need_tradable(call)
    side, order_type = call.need("side"), call.need("orderType")
    if side not in SIDES:
        raise BybitRefusal(170117, "Invalid side.")
    if order_type not in ("Limit", "Market"):
        raise BybitRefusal(170116, "Invalid orderType.")
    _refuse_what_is_not_played(call)
    quantity, order_link_id = call.need_money("qty"), _read_order_link_id(call)
    if order_type == "Limit":
        request = SimOrderRequest(
            listing.symbol,
            SIDES[side],
            _read_limit_type(call),
            quantity,
            price=call.need_money("price"),
            client_order_id=order_link_id,
        )
    else:
        unit = call.find("marketUnit") or USUAL_UNITS[SIDES[side]]
        if unit not in UNITS:
            raise bad_parameter("marketUnit is neither baseCoin nor quoteCoin")
        base, quote = (None, quantity) if UNITS[unit] else (quantity, None)
        request = SimOrderRequest(
            listing.symbol, SIDES[side], SimOrderType.MARKET, base, quote, client_order_id=order_link_id
        )
    if (request.quantity or ZERO) > most_of(listing, is_market=order_type == "Market"):
        raise BybitRefusal(170381, "Order quantity too large.")
    return request


def _need_tradable(call: BybitCall) -> Listing:
    call.need_spot()
    listing = call.venue.listings.get(call.need("symbol"))
    if listing is None:
        raise BybitRefusal(170121, "Invalid symbol.")
    return listing


def _refuse_what_is_not_played(call: BybitCall) -> None:
    if call.find("orderFilter") not in (None, "Order"):
        raise BybitRefusal(170201, "Invalid orderFilter parameter")
    if call.find("isLeverage") not in (None, "0"):
        raise bad_parameter("isLeverage needs margin trading, which is off")
    asked = [name for name in NOT_PLAYED if call.find(name)]
    if asked:
        raise bad_parameter(f"not simulated: {', '.join(asked)}")


def _read_limit_type(call: BybitCall) -> SimOrderType:
    order_type = LIMIT_TYPES.get(call.find("timeInForce") or "GTC")
    if order_type is None:
        raise BybitRefusal(170115, "Invalid timeInForce.")
    return order_type


def _read_order_link_id(call: BybitCall) -> str | None:
    order_link_id = call.find("orderLinkId")
    if order_link_id is not None and not ORDER_LINK_ID.fullmatch(order_link_id):
        raise BybitRefusal(170130, "Data sent for parameter 'orderLinkId' is not valid.")
    return order_link_id


def post_create(call: BybitCall) -> Shape:
    request = read_order(call)
    if call.view.reject is not None:
        raise BybitRefusal(*call.view.reject)
    put_off_ms = int(call.venue.settings.decision_seconds * 1_000)
    order = call.venue.place(call.user, request, later=FOUND_OUT_LATER, put_off_ms=put_off_ms)
    if order.is_undecided:
        wait_ms = put_off_ms + TIMER_MS
        asyncio.get_running_loop().call_later(wait_ms / 1_000, call.venue.decide_due)
    return ids_shape(order)


# -- cancel --------------------------------------------------------------------------------------------------------


def post_cancel(call: BybitCall) -> Shape:
    """Whatever the order ended of, it is not there any more; a late cancel may be acknowledged all the same."""
    listing = _need_tradable(call)
    order_id, order_link_id = call.find("orderId"), call.find("orderLinkId")
    if order_id is None and order_link_id is None:
        raise bad_parameter("orderId or orderLinkId is needed")
    order = call.venue.find_order(call.user, order_id, order_link_id)
    is_late = order is not None and order.status is SimOrderStatus.FILLED
    if order is not None and is_late and call.venue.settings.late_cancels == "acknowledge":
        call.venue.tell_late_cancel(order)
        return ids_shape(order)
    return ids_shape(call.venue.cancel(call.user, listing.symbol, order_id, order_link_id))


def post_cancel_all(call: BybitCall) -> Shape:
    """Without a symbol: all of the account's, whoever placed them."""
    symbol = call.find_symbol()
    if call.find("orderFilter") not in (None, "Order"):
        return {"list": [], "success": "1"}
    canceled = call.venue.cancel_all(call.user, None if symbol is None else [symbol])
    return {"list": [ids_shape(order) for order in canceled], "success": "1"}


# -- orders --------------------------------------------------------------------------------------------------------


def _named_order(call: BybitCall) -> list[SimOrder] | None:
    """The order that is named, if one is: by the venue's id before the client's, and whatever the symbol is."""
    order_id, order_link_id = call.find("orderId"), call.find("orderLinkId")
    if order_id is None and order_link_id is None:
        return None
    order = call.venue.find_order(call.user, order_id, order_link_id)
    return [] if order is None or order.is_undecided else [order]


def _is_visible(call: BybitCall, order: SimOrder) -> bool:
    age_ms = Decimal(call.venue.clock.now_ms() - order.received_ms)
    return not order.is_undecided and age_ms >= call.view.hide_orders_seconds * 1_000


def _is_cached(call: BybitCall, order: SimOrder) -> bool:
    return order.status.is_open or order.updated_ms >= call.cached_since_ms


def _list_cached_closed(call: BybitCall) -> list[SimOrder]:
    """The newest first; a restarted venue has forgotten those that had ended before."""
    mine = call.venue.orders_of.get(call.user.name, ())
    closed = [order for order in mine if not order.status.is_open and _is_cached(call, order)]
    kept = sorted(closed, key=lambda order: order.updated_ms)[-CLOSED_CACHED:]
    return sorted(kept, key=lambda order: -order.sequence)


def get_realtime(call: BybitCall) -> Shape:
    symbol, limit = call.find_symbol(), call.limit(20, 50)
    named = _named_order(call)
    if named is not None:
        wanted = [order for order in named if _is_cached(call, order)]
    elif call.find("openOnly") == "1":
        wanted = _list_cached_closed(call)
    else:
        wanted = list(reversed(call.venue.open_of.get(call.user.name, {}).values()))
    if named is None and symbol is not None:
        wanted = [order for order in wanted if order.symbol == symbol]
    return _page_of_orders(call, iter(wanted), limit)


def get_history(call: BybitCall) -> Shape:
    """Closed orders only: without a fill for a day, and with fills for as long as the venue runs."""
    symbol, limit, status = call.find_symbol(), call.limit(20, 50), call.find("orderStatus")
    named = _named_order(call)
    is_timed = named is None or call.find("startTime") is not None or call.find("endTime") is not None
    start, end = read_window(call, WINDOW_DAYS)
    kept_from = call.now_ms - UNFILLED_KEPT_MS

    def matches(order: SimOrder) -> bool:
        return (
            not order.status.is_open
            and (bool(order.filled) or order.updated_ms >= kept_from)
            and (not is_timed or start <= order.received_ms <= end)
            and (named is not None or symbol in (None, order.symbol))
            and status in (None, STATUS_WORDS[order.status])
        )

    mine = named if named is not None else reversed(call.venue.orders_of.get(call.user.name, []))
    return _page_of_orders(call, (order for order in mine if matches(order)), limit)


def _page_of_orders(call: BybitCall, newest_first: Iterator[SimOrder], limit: int) -> Shape:
    page = take_page(call, (order for order in newest_first if _is_visible(call, order)), limit)
    shapes = [order_shape(call.venue, order) for order in page]
    return {"category": "spot", "list": shapes, "nextPageCursor": cursor_after(page)}


# -- fills ---------------------------------------------------------------------------------------------------------


def get_executions(call: BybitCall) -> Shape:
    """Newest first, a page at a time."""
    limit = call.limit(50, 100)
    page = take_page(call, _iter_fills(call), limit)
    if call.view.repeats_fills:
        page = [fill for fill in page for _ in range(2)][:limit]
    shapes = [fill_shape(call.venue, fill) for fill in page]
    if call.view.reverses_fills:
        shapes.reverse()
    return {"category": "spot", "list": shapes, "nextPageCursor": cursor_after(page)}


def _iter_fills(call: BybitCall) -> Iterator[SimFill]:
    symbol, named = call.find_symbol(), _named_order(call)
    start, end = read_window(call, WINDOW_DAYS)
    newest = Decimal(call.venue.clock.now_ms()) - call.view.hide_fills_seconds * 1_000
    is_hiding = call.view.hide_fills_seconds > ZERO
    mine = (
        [fill for order in named for fill in call.venue.iter_fills(order)]
        if named is not None
        else call.venue.fills_of.get(call.user.name, [])
    )
    for fill in reversed(mine):
        if fill.at_ms < start:
            return
        is_wanted = named is not None or symbol in (None, fill.symbol)
        if is_wanted and fill.at_ms <= end and not (is_hiding and fill.at_ms > newest):
            yield fill
