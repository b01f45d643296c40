"""The parameters of MEXC's order requests. Pure; raises InvalidInput where a request cannot be put into its form.

Numbers go out as plain decimals, never as 1E-7; quantity and quote quantity never together; the time in force is part
of the type; a client order id is checked here, because the venue's answer to a bad one would only be a refusal more.
"""

from __future__ import annotations

from trading.domain.errors import InvalidInput
from trading.domain.money import plain
from trading.domain.outcomes import PlaceRequest

from ..endpoint import Pairs
from ..order_checks import check_request
from .classify import PlaceEcho
from .constants import TYPE_WORDS

MAX_CLIENT_ORDER_ID = 32


def type_word(request: PlaceRequest) -> str:
    word = TYPE_WORDS.get((request.order_type, request.time_in_force))
    if word is None:
        kind = f"{request.order_type} {request.time_in_force}"
        raise InvalidInput(f"MEXC has no {kind} orders.", field="time_in_force")
    return word


def place_pairs(request: PlaceRequest) -> Pairs:
    check_request(request, longest_client_order_id=MAX_CLIENT_ORDER_ID)
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
