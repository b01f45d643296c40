"""Binance's order endpoints: place, test, query, list, cancel, and the fills of an account."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

from simulator.binance.call import Answer, BinanceCall
from simulator.binance.errors import BinanceWireRefusal, bad_combination, refusal_of
from simulator.binance.placing import invent_name, named, need_order_id, read_client_id, read_order
from simulator.binance.shapes import (
    Shape,
    ack_shape,
    canceled_shape,
    fill_shape,
    full_shape,
    order_shape,
    result_shape,
)
from simulator.core.refusals import SimRefusal
from simulator.core.rows import EndCause, SimFill, SimOrder, SimOrderStatus, SimOrderType

Row = TypeVar("Row", SimOrder, SimFill)
DAY_MS = 24 * 3_600_000
MAY_END_UNFILLED = frozenset({EndCause.NO_DEPTH})
RESTRICTIONS = {
    "ONLY_NEW": SimOrderStatus.NEW,
    "ONLY_PARTIALLY_FILLED": SimOrderStatus.PARTIALLY_FILLED,
}
# What may be sent together with `symbol` (and `limit`) to list fills.
FILL_SELECTIONS = (
    set(),
    {"orderId"},
    {"startTime"},
    {"endTime"},
    {"fromId"},
    {"startTime", "endTime"},
    {"orderId", "fromId"},
)


# -- place ---------------------------------------------------------------------------------------------------------


def post_order(call: BinanceCall) -> Answer:
    request = named(read_order(call), call)
    if call.view.reject is not None:
        raise BinanceWireRefusal(400, *call.view.reject)
    call.quotas.check_orders(call.user)
    later = MAY_END_UNFILLED if request.quantity is not None else frozenset()
    try:
        order = call.venue.place(call.user, request, later=later)
    except SimRefusal as refused:
        raise refusal_of(refused, call.listing()) from refused
    usual = "ACK" if order.type is SimOrderType.LIMIT_MAKER else "FULL"
    return _placed(call, order, call.find("newOrderRespType") or usual)


def _placed(call: BinanceCall, order: SimOrder, response: str) -> Shape:
    if response == "FULL":
        return full_shape(order, list(call.venue.iter_fills(order)))
    return ack_shape(order) if response == "ACK" else result_shape(order)


def post_order_test(call: BinanceCall) -> Answer:
    """Everything but the balance is checked, and nothing happens."""
    wants_rates, request = call.find_flag("computeCommissionRates", usual=False), read_order(call)
    try:
        listing = call.venue.check_request(call.user, request)
    except SimRefusal as refused:
        raise refusal_of(refused, call.listing()) from refused
    if not wants_rates:
        return {}
    rates = {"maker": f"{listing.maker_rate:.8f}", "taker": f"{listing.taker_rate:.8f}"}
    nothing = {"maker": "0.00000000", "taker": "0.00000000"}
    return {
        "standardCommissionForOrder": rates,
        "specialCommissionForOrder": nothing,
        "taxCommissionForOrder": nothing,
    }


# -- query ---------------------------------------------------------------------------------------------------------


def _is_visible(call: BinanceCall, order: SimOrder) -> bool:
    age_ms = call.venue.clock.now_ms() - order.received_ms
    return Decimal(age_ms) >= call.view.hide_orders_seconds * 1_000


def _find_named(call: BinanceCall) -> SimOrder | None:
    """By the venue's id, whose order must then have the client's id too if both are sent, or by the client's id."""
    symbol, (order_id, client_order_id) = call.listing().symbol, need_order_id(call)
    order = call.venue.find_order(call.user, order_id, client_order_id)
    if order is None or order.symbol != symbol:
        return None
    if order_id is not None and client_order_id not in (None, order.client_order_id):
        raise BinanceWireRefusal(400, -2039, "Client order ID is not correct for this order ID.")
    return order


def get_order(call: BinanceCall) -> Answer:
    order = _find_named(call)
    if order is None or not _is_visible(call, order):
        raise BinanceWireRefusal(400, -2013, "Order does not exist.")
    return order_shape(order)


def get_open_orders(call: BinanceCall) -> Answer:
    symbol = call.listing().symbol if call.find("symbol") is not None else None
    return [
        order_shape(order)
        for order in call.venue.open_of.get(call.user.name, {}).values()
        if symbol in (None, order.symbol) and _is_visible(call, order)
    ]


def get_all_orders(call: BinanceCall) -> Answer:
    """The oldest first: from an id or a time on, or the last ones."""
    symbol, limit, first_id = call.listing().symbol, call.limit(500, 1_000), call.find_whole("orderId")
    start, end = _read_window(call)
    rows = [
        order
        for order in call.venue.orders_of.get(call.user.name, [])
        if order.symbol == symbol
        and _is_visible(call, order)
        and start <= order.received_ms <= end
        and (first_id is None or int(order.order_id) >= first_id)
    ]
    is_forward = first_id is not None or call.find("startTime") is not None
    return [order_shape(order) for order in _page(rows, limit, is_forward=is_forward)]


def _page(rows: list[Row], limit: int, *, is_forward: bool) -> list[Row]:
    return rows[:limit] if is_forward else rows[-limit:]


def _read_window(call: BinanceCall) -> tuple[int, int]:
    """At most a day; a start alone reaches a day on, and an end alone has no beginning."""
    start, end = call.find_time("startTime"), call.find_time("endTime")
    if start is not None and end is not None:
        if start > end:
            raise bad_combination()
        if end - start > DAY_MS:
            raise BinanceWireRefusal(400, -1127, "More than 24 hours between startTime and endTime.")
    if end is None:
        end = call.now_ms + DAY_MS if start is None else start + DAY_MS
    return start or 0, end


# -- fills ---------------------------------------------------------------------------------------------------------


def get_my_trades(call: BinanceCall) -> Answer:
    """The oldest first: from an id or a time on, or the last ones."""
    selection = {name for name in ("orderId", "startTime", "endTime", "fromId") if call.find(name)}
    if selection not in FILL_SELECTIONS:
        raise bad_combination()
    is_forward = bool(selection & {"startTime", "fromId"})
    fills = _page(_select_fills(call), call.limit(500, 1_000), is_forward=is_forward)
    rows: list[Shape] = [fill_shape(fill) for fill in fills]
    if call.view.repeats_fills:
        rows = [row for row in rows for _ in range(2)]
    return rows[::-1] if call.view.reverses_fills else rows


def _select_fills(call: BinanceCall) -> list[SimFill]:
    symbol, order_id, first_id = call.listing().symbol, call.find_whole("orderId"), call.find_whole("fromId")
    start, end = _read_window(call)
    hidden_after = call.venue.clock.now_ms() - call.view.hide_fills_seconds * 1_000
    is_hiding = call.view.hide_fills_seconds > 0
    return [
        fill
        for fill in call.venue.fills_of.get(call.user.name, [])
        if fill.symbol == symbol
        and start <= fill.at_ms <= end
        and (order_id is None or fill.order_id == str(order_id))
        and (first_id is None or int(fill.fill_id) >= first_id)
        and not (is_hiding and fill.at_ms > hidden_after)
    ]


# -- cancel --------------------------------------------------------------------------------------------------------


def _read_cancel_id(call: BinanceCall) -> str:
    given = read_client_id(call, "newClientOrderId")
    return given or invent_name(call, f"cancel {call.now_ms} {sorted(call.parameters.items())}")


def delete_order(call: BinanceCall) -> Answer:
    restriction = call.find("cancelRestrictions")
    if restriction is not None and restriction not in RESTRICTIONS:
        raise BinanceWireRefusal(400, -1145, "Invalid cancelRestrictions")
    cancel_id, order = _read_cancel_id(call), _find_named(call)
    if order is None or not order.status.is_open:
        raise BinanceWireRefusal(400, -2011, "Unknown order sent.")
    if restriction is not None and order.status is not RESTRICTIONS[restriction]:
        raise BinanceWireRefusal(400, -2011, "Order was not canceled due to cancel restrictions.")
    canceled = call.venue.cancel(call.user, order.symbol, order.order_id, None, cancel_id=cancel_id)
    return canceled_shape(canceled)


def delete_open_orders(call: BinanceCall) -> Answer:
    """One name for all of these cancels."""
    symbol, cancel_id = call.listing().symbol, _read_cancel_id(call)
    canceled = call.venue.cancel_all(call.user, [symbol], cancel_id=cancel_id)
    if not canceled:
        raise BinanceWireRefusal(400, -2011, "Unknown order sent.")
    return [canceled_shape(order) for order in canceled]
