"""MEXC's error codes: the table from venue-neutral refusals to HTTP status, code and message."""

from __future__ import annotations

from simulator.core.refusals import RefusalReason, SimRefusal

Code = tuple[int, int, str]

REFUSALS: dict[RefusalReason, Code] = {
    RefusalReason.UNKNOWN_SYMBOL: (400, -1121, "Invalid symbol."),
    RefusalReason.TRADING_SUSPENDED: (400, 30016, "Trading disabled"),
    RefusalReason.SYMBOL_CLOSED_TO_API: (400, 10007, "symbol not support api"),
    RefusalReason.SYMBOL_NOT_ON_KEY: (400, 30020, "No permission for the symbol"),
    RefusalReason.SIDE_CLOSED: (400, 30001, "Current transaction direction is not allowed to place an order"),
    RefusalReason.TYPE_CLOSED: (400, 30018, "Market order is disabled."),
    RefusalReason.QUANTITY_SCALE: (400, 400, " quantity scale is invalid"),
    RefusalReason.PRICE_SCALE: (400, 400, " price scale is invalid"),
    RefusalReason.NOTIONAL_SCALE: (400, 400, " amount scale is invalid"),
    RefusalReason.BELOW_MIN_QUANTITY: (
        400,
        30002,
        "The minimum transaction volume cannot be less than:{limit}",
    ),
    RefusalReason.BELOW_MIN_NOTIONAL: (
        400,
        30002,
        "The minimum transaction volume cannot be less than:{limit}",
    ),
    RefusalReason.ABOVE_MAX_NOTIONAL: (
        400,
        30003,
        "The maximum transaction volume cannot be greater than:{limit}",
    ),
    RefusalReason.OUTSIDE_PRICE_BAND: (
        400,
        30087,
        "Order price exceeds the allowed range, limit price:{limit}",
    ),
    RefusalReason.INSUFFICIENT_QUOTE: (400, 30004, "Insufficient position"),
    RefusalReason.INSUFFICIENT_BASE: (400, 30005, "Oversold"),
    RefusalReason.NO_COUNTER_ORDER: (400, 30025, "No counter order"),
    RefusalReason.TOO_MANY_OPEN_ORDERS: (400, 30029, "Cannot exceed the maximum order limit:{limit}"),
    RefusalReason.DUPLICATE_CLIENT_ID: (400, -2010, "Duplicate order sent."),
    RefusalReason.UNKNOWN_ORDER: (400, -2011, "Unknown order sent."),
}


class MexcWireRefusal(Exception):
    """The request is answered with this status, code and message."""

    def __init__(self, status: int, code: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


def refusal_of(refused: SimRefusal) -> MexcWireRefusal:
    status, code, message = REFUSALS[refused.reason]
    return MexcWireRefusal(status, code, message.format(limit=refused.limit))


def missing(name: str) -> MexcWireRefusal:
    return MexcWireRefusal(
        400, 700004, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def bad_parameter(name: str) -> MexcWireRefusal:
    return MexcWireRefusal(400, 33333, f"Parameter error: {name}")


def invalid_symbol() -> MexcWireRefusal:
    return MexcWireRefusal(400, -1121, "Invalid symbol.")
