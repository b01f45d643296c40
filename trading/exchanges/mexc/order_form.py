"""The parameters of MEXC's order requests. Pure; raises InvalidInput where a request cannot be put into its form.

Numbers go out as plain decimals, never as 1E-7; quantity and quote quantity never together; the time in force is part
of the type; a client order id is checked here, because the venue's answer to a bad one would only be a refusal more.
"""

from __future__ import annotations

import re

from trading.domain.errors import InvalidInput
from trading.domain.money import plain
from trading.domain.outcomes import PlaceRequest

from ..endpoint import Pairs
from .classify import PlaceEcho
from .constants import TYPE_WORDS

MAX_CLIENT_ORDER_ID = 32
_CLIENT_ORDER_ID = re.compile(rf"[0-9a-zA-Z_-]{{1,{MAX_CLIENT_ORDER_ID}}}")


def type_word(request: PlaceRequest) -> str:
    word = TYPE_WORDS.get((request.order_type, request.time_in_force))
    if word is None:
        kind = f"{request.order_type} {request.time_in_force}"
        raise InvalidInput(f"MEXC has no {kind} orders.", field="time_in_force")
    return word


def place_pairs(request: PlaceRequest) -> Pairs:
    if not _CLIENT_ORDER_ID.fullmatch(request.client_order_id):
        raise InvalidInput(
            f"client_order_id must be 1 to {MAX_CLIENT_ORDER_ID} of [0-9a-zA-Z_-].", field="client_order_id"
        )
    if (request.quantity is None) == (request.quote_quantity is None):
        raise InvalidInput("Exactly one of quantity and quote_quantity is needed.", field="quantity")
    if request.quote_quantity is not None and request.order_type.needs_price:
        raise InvalidInput("quote_quantity only fits MARKET orders.", field="quote_quantity")
    if (request.price is not None) != request.order_type.needs_price:
        raise InvalidInput("A limit order needs a price and a MARKET order has none.", field="price")
    pairs = (
        ("symbol", request.venue_symbol),
        ("side", request.side.value),
        ("type", type_word(request)),
        ("quantity", plain(request.quantity)),
        ("quoteOrderQty", plain(request.quote_quantity)),
        ("price", plain(request.price)),
        ("newClientOrderId", request.client_order_id),
    )
    return [pair for pair in pairs if pair[1]]


def echo_of(request: PlaceRequest) -> PlaceEcho:
    return PlaceEcho(request.venue_symbol, request.side, type_word(request), request.quantity)


def order_key_pairs(symbol: str, client_order_id: str, exchange_order_id: str) -> Pairs:
    """How a query or a cancel names one order. The venue's id wins where both are known: it is the venue's own."""
    if exchange_order_id:
        return [("symbol", symbol), ("orderId", exchange_order_id)]
    if client_order_id:
        return [("symbol", symbol), ("origClientOrderId", client_order_id)]
    raise InvalidInput("An order is named by client_order_id or exchange_order_id.", field="client_order_id")
