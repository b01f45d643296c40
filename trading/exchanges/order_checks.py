"""What every venue's form of an order asks of a request before it is put into words. Pure; raises InvalidInput."""

from __future__ import annotations

import re

from trading.domain.errors import InvalidInput
from trading.domain.outcomes import PlaceRequest

_SIGNS = re.compile(r"[0-9a-zA-Z_-]+")


def check_request(request: PlaceRequest, *, longest_client_order_id: int) -> None:
    """A client order id that the venue takes, one kind of quantity, and a price exactly where the type has one."""
    name = request.client_order_id
    if not _SIGNS.fullmatch(name) or len(name) > longest_client_order_id:
        raise InvalidInput(
            f"client_order_id must be 1 to {longest_client_order_id} of [0-9a-zA-Z_-].",
            field="client_order_id",
        )
    if (request.quantity is None) == (request.quote_quantity is None):
        raise InvalidInput("Exactly one of quantity and quote_quantity is needed.", field="quantity")
    if request.quote_quantity is not None and request.order_type.needs_price:
        raise InvalidInput("quote_quantity only fits MARKET orders.", field="quote_quantity")
    if (request.price is not None) != request.order_type.needs_price:
        raise InvalidInput("A limit order needs a price and a MARKET order has none.", field="price")
