"""MEXC's order endpoints: place, test, query, list, cancel, and the fills of an account."""

from __future__ import annotations

import re
from decimal import Decimal

from simulator.core.money import ZERO
from simulator.core.refusals import SimRefusal
from simulator.core.rows import SimFill, SimOrder, SimOrderType, SimSide
from simulator.core.rules import SimOrderRequest
from simulator.mexc.call import MexcCall
from simulator.mexc.errors import MexcWireRefusal, bad_parameter, missing, refusal_of
from simulator.mexc.shapes import Shape, ack_shape, canceled_shape, fill_shape, order_shape

CLIENT_ORDER_ID = re.compile(r"[0-9a-zA-Z_-]{1,32}")
DAY_MS = 24 * 3_600_000
LOOK_BACK_MS = 7 * DAY_MS
FILLS_LOOK_BACK_MS = 30 * DAY_MS
SYMBOLS_PER_CALL = 5


# -- place ---------------------------------------------------------------------------------------------------------


def read_order(call: MexcCall) -> SimOrderRequest:
    """`timeInForce` and every other unknown parameter is ignored, as the venue ignores it."""
    symbol, side, order_type = call.listing().symbol, call.need("side"), call.need("type")
    if side not in SimSide.__members__:
        raise bad_parameter("side")
    if order_type not in SimOrderType.__members__:
        raise bad_parameter("type")
    is_market = order_type == SimOrderType.MARKET
    quantity, budget = call.find_money("quantity"), call.find_money("quoteOrderQty") if is_market else None
    price = None if is_market else call.find_money("price")
    if quantity is None and budget is None:
        raise missing("quantity")
    if quantity is not None and budget is not None:
        raise bad_parameter("quantity and quoteOrderQty")
    if price is None and not is_market:
        raise missing("price")
    return SimOrderRequest(
        symbol, SimSide(side), SimOrderType(order_type), quantity, budget, price, _read_client_order_id(call)
    )


def _read_client_order_id(call: MexcCall) -> str | None:
    client_order_id = call.find("newClientOrderId")
    if client_order_id is not None and not CLIENT_ORDER_ID.fullmatch(client_order_id):
        legal = f"legal range is '^{CLIENT_ORDER_ID.pattern}$'."
        raise MexcWireRefusal(
            400, 700008, f"Illegal characters found in parameter 'newClientOrderId'; {legal}"
        )
    return client_order_id


def post_order(call: MexcCall) -> Shape:
    request = read_order(call)
    if call.view.reject is not None:
        raise MexcWireRefusal(400, *call.view.reject)
    return ack_shape(call.venue.place(call.user, request))


def post_order_test(call: MexcCall) -> Shape:
    """Everything but the balance is checked, and nothing happens."""
    call.venue.check_request(call.user, read_order(call))
    return {}


# -- query ---------------------------------------------------------------------------------------------------------


def _is_visible(call: MexcCall, order: SimOrder) -> bool:
    now = call.venue.clock.now_ms()
    if Decimal(now - order.received_ms) < call.view.hide_orders_seconds * 1_000:
        return False
    return order.status.is_open or now - order.received_ms <= LOOK_BACK_MS


def get_order(call: MexcCall) -> Shape:
    symbol, order_id, client_order_id = (
        call.listing().symbol,
        call.find("orderId"),
        call.find("origClientOrderId"),
    )
    if order_id is None and client_order_id is None:
        raise missing("orderId")
    order = call.venue.find_order(call.user, order_id, client_order_id)
    if order is None or order.symbol != symbol or not _is_visible(call, order):
        raise MexcWireRefusal(400, -2013, "Order does not exist.")
    return order_shape(order)


def get_open_orders(call: MexcCall) -> list[Shape]:
    listings = call.find_listings(most=SYMBOLS_PER_CALL)
    symbols = None if listings is None else {listing.symbol for listing in listings}
    mine = reversed(call.venue.open_of.get(call.user.name, {}).values())
    return [
        order_shape(order)
        for order in mine
        if (symbols is None or order.symbol in symbols) and _is_visible(call, order)
    ][:1_000]


def get_all_orders(call: MexcCall) -> list[Shape]:
    """Newest first. Without times: the last day; never further back than seven days."""
    symbol, limit = call.listing().symbol, call.limit(500, 1_000)
    start, end = _read_window(call, DAY_MS, LOOK_BACK_MS)
    rows: list[Shape] = []
    for order in reversed(call.venue.orders_of.get(call.user.name, [])):
        if order.symbol == symbol and start <= order.received_ms <= end and _is_visible(call, order):
            rows.append(order_shape(order))
        if len(rows) == limit or order.received_ms < start:
            break
    return rows


def _read_window(call: MexcCall, usual_ms: int, longest_ms: int) -> tuple[int, int]:
    end = call.find_whole("endTime")
    start = call.find_whole("startTime")
    if start is not None and end is not None and start > end:
        raise bad_parameter("startTime")
    oldest = call.now_ms - longest_ms
    first = start if start is not None else (end if end is not None else call.now_ms) - usual_ms
    return max(first, oldest), end if end is not None else call.now_ms + DAY_MS


# -- fills ---------------------------------------------------------------------------------------------------------


def get_my_trades(call: MexcCall) -> list[Shape]:
    """Newest first within the window; no cursor, so a full page must be continued by an earlier endTime."""
    symbol, limit = call.listing().symbol, call.limit(100, int(call.venue.settings.fills_page))
    start, end = _read_window(call, FILLS_LOOK_BACK_MS, FILLS_LOOK_BACK_MS)
    rows = [fill_shape(fill) for fill in _select_fills(call, symbol, start, end, limit)]
    if call.view.repeats_fills:
        rows = [row for row in rows for _ in range(2)][:limit]
    return rows[::-1] if call.view.reverses_fills else rows


def _select_fills(call: MexcCall, symbol: str, start: int, end: int, limit: int) -> list[SimFill]:
    order_id, newest = call.find("orderId"), call.venue.clock.now_ms() - call.view.hide_fills_seconds * 1_000
    is_hiding = call.view.hide_fills_seconds > ZERO
    selected: list[SimFill] = []
    for fill in reversed(call.venue.fills_of.get(call.user.name, [])):
        is_wanted = fill.symbol == symbol and start <= fill.at_ms <= end and order_id in (None, fill.order_id)
        if is_wanted and not (is_hiding and fill.at_ms > newest):
            selected.append(fill)
        if len(selected) == limit or fill.at_ms < start:
            break
    return selected


# -- cancel --------------------------------------------------------------------------------------------------------


def _canceled(call: MexcCall, order: SimOrder) -> Shape:
    """The live venue mostly reports the status before the cancel, or rather always NEW; configurable."""
    return canceled_shape(order, call.venue.settings.cancel_status)


def delete_order(call: MexcCall) -> Shape:
    symbol, order_id, client_order_id = (
        call.listing().symbol,
        call.find("orderId"),
        call.find("origClientOrderId"),
    )
    if order_id is None and client_order_id is None:
        raise missing("orderId")
    try:
        return _canceled(call, call.venue.cancel(call.user, symbol, order_id, client_order_id))
    except SimRefusal as refused:
        raise refusal_of(refused) from refused


def delete_open_orders(call: MexcCall) -> list[Shape]:
    call.need("symbol")
    listings = call.find_listings(most=SYMBOLS_PER_CALL) or []
    return [
        _canceled(call, order)
        for order in call.venue.cancel_all(call.user, [listing.symbol for listing in listings])
    ]


def delete_all_orders(call: MexcCall) -> Shape:
    call.venue.cancel_all(call.user)
    return {"code": 200, "msg": "success", "timestamp": call.now_ms}
