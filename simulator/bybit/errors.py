"""Bybit's codes: the table from venue-neutral refusals to code and message. They come with HTTP 200."""

from __future__ import annotations

from simulator.core.refusals import RefusalReason, SimRefusal

Code = tuple[int, str]

REFUSALS: dict[RefusalReason, Code] = {
    RefusalReason.UNKNOWN_SYMBOL: (170121, "Invalid symbol."),
    RefusalReason.TRADING_SUSPENDED: (170151, "The trading pair is not open yet"),
    RefusalReason.SYMBOL_CLOSED_TO_API: (170157, "The trading pair is not available for api trading"),
    RefusalReason.SYMBOL_NOT_ON_KEY: (
        10029,
        "The requested symbol is invalid, please check symbol whitelist",
    ),
    RefusalReason.SIDE_CLOSED: (170209, "This trading pair is only available to the other region."),
    RefusalReason.TYPE_CLOSED: (
        170159,
        "Market Order is not supported within the first 5 minutes of newly launched pairs due to risk control.",
    ),
    RefusalReason.QUANTITY_SCALE: (170137, "Order volume decimal too long"),
    RefusalReason.PRICE_SCALE: (170134, "Order price decimal too long."),
    RefusalReason.NOTIONAL_SCALE: (170148, "Market order amount decimal too long"),
    RefusalReason.BELOW_MIN_QUANTITY: (170136, "Order quantity lower than the minimum."),
    RefusalReason.BELOW_MIN_NOTIONAL: (170140, "Order value exceeded lower limit."),
    RefusalReason.ABOVE_MAX_NOTIONAL: (170124, "Order amount too large."),
    RefusalReason.INSUFFICIENT_QUOTE: (170131, "Insufficient balance."),
    RefusalReason.INSUFFICIENT_BASE: (170131, "Insufficient balance."),
    RefusalReason.TOO_MANY_OPEN_ORDERS: (
        170810,
        "Cannot exceed maximum of {limit} conditional, TP/SL and active orders.",
    ),
    RefusalReason.DUPLICATE_CLIENT_ID: (170141, "Duplicate clientOrderId."),
    RefusalReason.UNKNOWN_ORDER: (170213, "Order does not exist."),
}
TOO_MANY_VISITS: Code = (10006, "Too many visits. Exceeded the API Rate Limit.")
SERVER_ERROR: Code = (10016, "Server error.")


class BybitRefusal(Exception):
    """The request is answered with this code and message, with HTTP 200 unless the status says otherwise."""

    def __init__(self, code: int, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def refusal_of(refused: SimRefusal) -> BybitRefusal:
    code, message = REFUSALS[refused.reason]
    return BybitRefusal(code, message.format(limit=refused.limit))


def bad_parameter(what: str) -> BybitRefusal:
    return BybitRefusal(10001, f"params error: {what}")


def empty(name: str) -> BybitRefusal:
    return BybitRefusal(170105, f"Parameter '{name}' was empty.")


def forbidden(message: str) -> BybitRefusal:
    return BybitRefusal(403, message, status=403)
