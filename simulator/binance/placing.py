"""How an order is read from its parameters: which ones a type needs, which it must not have, and what they may hold."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import blake2b

from simulator.binance.call import BinanceCall
from simulator.binance.errors import (
    REJECTED,
    BinanceWireRefusal,
    bad_combination,
    either_missing,
    illegal,
    not_required,
    not_valid,
)
from simulator.binance.filters import check_filters
from simulator.core.rows import SimOrderType, SimSide
from simulator.core.rules import SimOrderRequest

CLIENT_ORDER_ID = re.compile(r"[a-zA-Z0-9-_]{1,36}")
FOR_STOPS = ("stopPrice", "trailingDelta")
# type -> (needed, not to be sent)
TYPES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "LIMIT": (("timeInForce", "quantity", "price"), ("quoteOrderQty", *FOR_STOPS)),
    "MARKET": ((), ("timeInForce", "price", "icebergQty", *FOR_STOPS)),
    "LIMIT_MAKER": (("quantity", "price"), ("timeInForce", "quoteOrderQty", *FOR_STOPS)),
}
OTHER_TYPES = {
    "STOP_LOSS": "Stop loss",
    "STOP_LOSS_LIMIT": "Stop loss limit",
    "TAKE_PROFIT": "Take profit",
    "TAKE_PROFIT_LIMIT": "Take profit limit",
}
IN_FORCE = {
    "GTC": SimOrderType.LIMIT,
    "IOC": SimOrderType.IMMEDIATE_OR_CANCEL,
    "FOK": SimOrderType.FILL_OR_KILL,
}
RESPONSES = ("ACK", "RESULT", "FULL")
PLACING = frozenset(
    {
        "symbol",
        "side",
        "type",
        "timeInForce",
        "quantity",
        "quoteOrderQty",
        "price",
        "newClientOrderId",
        "newOrderRespType",
        "selfTradePreventionMode",
        "icebergQty",
        *FOR_STOPS,
    }
)


def read_order(call: BinanceCall) -> SimOrderRequest:
    listing, side, kind = call.listing(), call.need("side"), call.need("type")
    if side not in SimSide.__members__:
        raise BinanceWireRefusal(400, -1117, "Invalid side.")
    if kind in OTHER_TYPES:
        reason = f"{OTHER_TYPES[kind]} orders are not supported for this symbol."
        raise BinanceWireRefusal(400, REJECTED, reason)
    if kind not in TYPES:
        raise BinanceWireRefusal(400, -1116, "Invalid orderType.")
    _check_sent(call, kind)
    request = SimOrderRequest(
        listing.symbol,
        SimSide(side),
        _read_type(call, kind),
        call.find_money("quantity"),
        call.find_money("quoteOrderQty"),
        call.find_money("price"),
        read_client_id(call, "newClientOrderId"),
    )
    check_filters(request, listing, call.venue.last_price(listing.symbol))
    return request


def _check_sent(call: BinanceCall, kind: str) -> None:
    needed, unwanted = TYPES[kind]
    for name in needed:
        call.need(name)
    for name in unwanted:
        if call.find(name) is not None:
            raise not_required(name)
    if call.find("icebergQty") is not None:
        raise BinanceWireRefusal(400, REJECTED, "Iceberg orders are not supported for this symbol.")
    if call.find("selfTradePreventionMode") not in (None, "NONE"):
        raise not_valid("selfTradePreventionMode")
    if call.find("newOrderRespType") not in (None, *RESPONSES):
        raise not_valid("newOrderRespType")
    if kind == "MARKET":
        amounts = [name for name in ("quantity", "quoteOrderQty") if call.find(name) is not None]
        if not amounts:
            raise either_missing("quantity", "quoteOrderQty")
        if len(amounts) == 2:
            raise bad_combination()


def _read_type(call: BinanceCall, kind: str) -> SimOrderType:
    if kind != "LIMIT":
        return SimOrderType(kind)
    in_force = call.need("timeInForce")
    if in_force not in IN_FORCE:
        raise BinanceWireRefusal(400, -1115, "Invalid timeInForce.")
    return IN_FORCE[in_force]


def read_client_id(call: BinanceCall, name: str) -> str | None:
    content = call.find(name)
    if content is not None and not CLIENT_ORDER_ID.fullmatch(content):
        raise illegal(name, f"^{CLIENT_ORDER_ID.pattern}$")
    return content


def named(request: SimOrderRequest, call: BinanceCall) -> SimOrderRequest:
    """An order without a name gets one from the venue."""
    if request.client_order_id is not None:
        return request
    return replace(request, client_order_id=invent_name(call, f"order {len(call.venue.orders)}"))


def invent_name(call: BinanceCall, what: str) -> str:
    text = f"{call.venue.seed}|{call.venue.resets}|{call.user.name}|{what}"
    return blake2b(text.encode(), digest_size=11).hexdigest()


def need_order_id(call: BinanceCall) -> tuple[str | None, str | None]:
    """`orderId` as the text it is kept as, and `origClientOrderId`; one of them at least."""
    number, name = call.find_whole("orderId"), read_client_id(call, "origClientOrderId")
    if number is None and name is None:
        raise either_missing("origClientOrderId", "orderId")
    return None if number is None else str(number), name
