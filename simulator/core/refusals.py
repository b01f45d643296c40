"""Why the simulated venue refuses an order, in venue-neutral words; wire modules map them to codes."""

from __future__ import annotations

from enum import StrEnum


class RefusalReason(StrEnum):
    UNKNOWN_SYMBOL = "unknown_symbol"
    TRADING_SUSPENDED = "trading_suspended"
    SYMBOL_CLOSED_TO_API = "symbol_closed_to_api"
    SYMBOL_NOT_ON_KEY = "symbol_not_on_key"
    SIDE_CLOSED = "side_closed"
    TYPE_CLOSED = "type_closed"
    QUANTITY_SCALE = "quantity_scale"
    PRICE_SCALE = "price_scale"
    NOTIONAL_SCALE = "notional_scale"
    BELOW_MIN_QUANTITY = "below_min_quantity"
    BELOW_MIN_NOTIONAL = "below_min_notional"
    ABOVE_MAX_NOTIONAL = "above_max_notional"
    OUTSIDE_PRICE_BAND = "outside_price_band"
    INSUFFICIENT_QUOTE = "insufficient_quote"
    INSUFFICIENT_BASE = "insufficient_base"
    NO_COUNTER_ORDER = "no_counter_order"
    TOO_MANY_OPEN_ORDERS = "too_many_open_orders"
    DUPLICATE_CLIENT_ID = "duplicate_client_id"
    WOULD_TAKE = "would_take"
    UNKNOWN_ORDER = "unknown_order"


class SimRefusal(Exception):
    """The order (or the cancellation) was refused and changed nothing."""

    def __init__(self, reason: RefusalReason, limit: object = "") -> None:
        super().__init__(f"{reason}: {limit}")
        self.reason = reason
        self.limit = limit
