"""The parameters of Bybit's order requests. Pure; raises InvalidInput where a request cannot be put into its form.

Two defaults of the venue are never left to it: an order must not borrow (`isLeverage` 0), and a market order says
whether its quantity is in base or in quote units, because a BUY without a word is in quote units.
"""

from __future__ import annotations

from trading.domain.enums import OrderType
from trading.domain.errors import InvalidInput
from trading.domain.money import plain
from trading.domain.outcomes import PlaceRequest

from ..endpoint import Pairs
from ..order_checks import check_request
from .constants import CATEGORY, MAX_CLIENT_ORDER_ID, SIDE_WORDS, TYPE_WORDS


def place_pairs(request: PlaceRequest) -> Pairs:
    check_request(request, longest_client_order_id=MAX_CLIENT_ORDER_ID)
    words = TYPE_WORDS.get((request.order_type, request.time_in_force))
    if words is None:
        kind = f"{request.order_type} {request.time_in_force}"
        raise InvalidInput(f"Bybit has no {kind} orders.", field="time_in_force")
    order_type, time_in_force = words
    unit = "baseCoin" if request.quantity is not None else "quoteCoin"
    pairs = (
        ("category", CATEGORY),
        ("symbol", request.venue_symbol),
        ("side", SIDE_WORDS[request.side]),
        ("orderType", order_type),
        ("qty", plain(request.quantity) or plain(request.quote_quantity)),
        ("marketUnit", unit if request.order_type is OrderType.MARKET else ""),
        ("price", plain(request.price)),
        ("timeInForce", time_in_force),
        ("orderLinkId", request.client_order_id),
        ("isLeverage", "0"),
        ("orderFilter", "Order"),
    )
    return [pair for pair in pairs if pair[1]]


def order_key_pairs(client_order_id: str, exchange_order_id: str) -> Pairs:
    """How a query or a cancel names one order. The venue's id wins where both are known: it is the venue's own."""
    if exchange_order_id:
        return [("orderId", exchange_order_id)]
    if client_order_id:
        return [("orderLinkId", client_order_id)]
    raise InvalidInput("An order is named by client_order_id or exchange_order_id.", field="client_order_id")


def cancel_pairs(symbol: str, client_order_id: str, exchange_order_id: str) -> Pairs:
    key = order_key_pairs(client_order_id, exchange_order_id)
    return [("category", CATEGORY), ("symbol", symbol), *key]


def cancel_all_pairs(symbol: str | None) -> Pairs:
    """Without a symbol every plain order of spot; stop orders made elsewhere have requests of their own."""
    named = [("symbol", symbol)] if symbol else []
    return [("category", CATEGORY), *named, ("orderFilter", "Order")]
