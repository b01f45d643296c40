"""Binance's error codes: the table from venue-neutral refusals to HTTP status, code and message."""

from __future__ import annotations

from simulator.core.refusals import RefusalReason, SimRefusal
from simulator.core.rows import Listing

Code = tuple[int, int, str]

REJECTED, FILTERED = -2010, -1013
NO_FUNDS = (400, REJECTED, "Account has insufficient balance for requested action.")
NOT_PERMITTED = (400, REJECTED, "This symbol is not permitted for this account.")
CLOSED = (400, REJECTED, "Market is closed.")
NOTIONAL = (400, FILTERED, "Filter failure: {notional}")

REFUSALS: dict[RefusalReason, Code] = {
    RefusalReason.UNKNOWN_SYMBOL: (400, -1121, "Invalid symbol."),
    RefusalReason.TRADING_SUSPENDED: CLOSED,
    RefusalReason.SIDE_CLOSED: CLOSED,
    RefusalReason.SYMBOL_CLOSED_TO_API: NOT_PERMITTED,
    RefusalReason.SYMBOL_NOT_ON_KEY: NOT_PERMITTED,
    RefusalReason.TYPE_CLOSED: (400, REJECTED, "Market orders are not supported for this symbol."),
    RefusalReason.QUANTITY_SCALE: (400, FILTERED, "Filter failure: LOT_SIZE"),
    RefusalReason.BELOW_MIN_QUANTITY: (400, FILTERED, "Filter failure: LOT_SIZE"),
    RefusalReason.PRICE_SCALE: (400, FILTERED, "Filter failure: PRICE_FILTER"),
    RefusalReason.NOTIONAL_SCALE: (400, -1111, "Parameter 'quoteOrderQty' has too much precision."),
    RefusalReason.BELOW_MIN_NOTIONAL: NOTIONAL,
    RefusalReason.ABOVE_MAX_NOTIONAL: NOTIONAL,
    RefusalReason.OUTSIDE_PRICE_BAND: (400, FILTERED, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    RefusalReason.INSUFFICIENT_QUOTE: NO_FUNDS,
    RefusalReason.INSUFFICIENT_BASE: NO_FUNDS,
    RefusalReason.NO_COUNTER_ORDER: (
        400,
        REJECTED,
        "Order book liquidity is less than symbol minimum quantity.",
    ),
    RefusalReason.TOO_MANY_OPEN_ORDERS: (400, FILTERED, "Filter failure: MAX_NUM_ORDERS"),
    RefusalReason.DUPLICATE_CLIENT_ID: (400, REJECTED, "Duplicate order sent."),
    RefusalReason.WOULD_TAKE: (400, REJECTED, "Order would immediately match and take."),
    RefusalReason.UNKNOWN_ORDER: (400, -2011, "Unknown order sent."),
}
# Symbols whose value is bounded by the older filter, which knows a minimum only.
OLDER_NOTIONAL = frozenset({"XRPUSDT"})


class BinanceWireRefusal(Exception):
    """The request is answered with this status, code and message."""

    def __init__(self, status: int, code: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


def notional_filter(symbol: str) -> str:
    return "MIN_NOTIONAL" if symbol in OLDER_NOTIONAL else "NOTIONAL"


def refusal_of(refused: SimRefusal, listing: Listing | None = None) -> BinanceWireRefusal:
    status, code, message = REFUSALS[refused.reason]
    name = notional_filter("" if listing is None else listing.symbol)
    return BinanceWireRefusal(status, code, message.format(notional=name))


def filtered(name: str) -> BinanceWireRefusal:
    return BinanceWireRefusal(400, FILTERED, f"Filter failure: {name}")


def missing(name: str) -> BinanceWireRefusal:
    return BinanceWireRefusal(
        400, -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def either_missing(one: str, other: str) -> BinanceWireRefusal:
    return BinanceWireRefusal(
        400, -1102, f"Param '{one}' or '{other}' must be sent, but both were empty/null!"
    )


def illegal(name: str, legal: str) -> BinanceWireRefusal:
    return BinanceWireRefusal(
        400, -1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."
    )


def not_valid(name: str) -> BinanceWireRefusal:
    return BinanceWireRefusal(400, -1130, f"Data sent for parameter '{name}' is not valid.")


def not_required(name: str) -> BinanceWireRefusal:
    return BinanceWireRefusal(400, -1106, f"Parameter '{name}' sent when not required.")


def bad_combination() -> BinanceWireRefusal:
    return BinanceWireRefusal(400, -1128, "Combination of optional parameters invalid.")


def invalid_symbol() -> BinanceWireRefusal:
    return BinanceWireRefusal(400, -1121, "Invalid symbol.")
