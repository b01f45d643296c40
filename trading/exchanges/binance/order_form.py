"""The parameters of Binance's order requests. Pure; raises InvalidInput where a request cannot be put into its form.

Numbers go out as plain decimals, never as 1E-7; quantity and quote quantity never together; a client order id is
checked here, because the venue's firewall answers odd ones with a page instead of a code.
"""

from __future__ import annotations

from trading.domain.errors import InvalidInput
from trading.domain.money import plain
from trading.domain.outcomes import PlaceRequest

from ..endpoint import Pairs
from ..order_checks import check_request
from .classify import BinanceEcho
from .constants import TYPE_WORDS
from .parse import number_of

MAX_CLIENT_ORDER_ID = 36


def type_words(request: PlaceRequest) -> tuple[str, str]:
    """(type, timeInForce); the second may be empty."""
    words = TYPE_WORDS.get((request.order_type, request.time_in_force))
    if words is None:
        kind = f"{request.order_type} {request.time_in_force}"
        raise InvalidInput(f"Binance has no {kind} orders.", field="time_in_force")
    return words


def place_pairs(request: PlaceRequest) -> Pairs:
    check_request(request, longest_client_order_id=MAX_CLIENT_ORDER_ID)
    type_word, time_in_force = type_words(request)
    pairs = (
        ("symbol", request.venue_symbol),
        ("side", request.side.value),
        ("type", type_word),
        ("timeInForce", time_in_force),
        ("quantity", plain(request.quantity)),
        ("quoteOrderQty", plain(request.quote_quantity)),
        ("price", plain(request.price)),
        ("newClientOrderId", request.client_order_id),
        ("newOrderRespType", "RESULT"),  # with status and echo; its fills would lack who made them
    )
    return [pair for pair in pairs if pair[1]]


def echo_of(request: PlaceRequest) -> BinanceEcho:
    return BinanceEcho(
        request.venue_symbol,
        request.client_order_id,
        request.side,
        type_words(request)[0],
        request.quantity,
    )


def order_key_pairs(symbol: str, client_order_id: str, exchange_order_id: str) -> Pairs:
    """How a query or a cancel names one order. The venue's id wins where both are known: it names one order for ever,
    while a client id may be used again once its order has ended."""
    if exchange_order_id:
        return [("symbol", symbol), ("orderId", order_number(symbol, exchange_order_id))]
    if client_order_id:
        return [("symbol", symbol), ("origClientOrderId", client_order_id)]
    raise InvalidInput("An order is named by client_order_id or exchange_order_id.", field="client_order_id")


def order_number(symbol: str, exchange_order_id: str) -> str:
    number = number_of(exchange_order_id, symbol)
    if not number:
        raise InvalidInput(
            f"{exchange_order_id[:80]!r} is no order of {symbol} at Binance.",
            remedy=f"Give the number that the venue shows, such as 28, or {symbol}:28.",
            field="exchange_order_id",
        )
    return number
