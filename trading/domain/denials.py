"""Every reason for which Levi itself says no, as a closed vocabulary.

A denial is data, not an exception: it stands in the decision record of its order with the value that was observed and
the limit it broke. The codes are part of the API: add freely, never rename. The table in docs/api.md is checked against
this file by a test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class DenialCode(StrEnum):
    """The value is the code; `explanation` is the sentence a person reads."""

    explanation: str

    def __new__(cls, value: str, explanation: str) -> DenialCode:
        member = str.__new__(cls, value)
        member._value_ = value
        member.explanation = explanation
        return member

    HALTED = "halted", "A halt is engaged for this scope: nothing new is sent."
    REDUCING = "reducing", "The scope only accepts orders that shrink a position."
    HALT_STATE_UNREADABLE = (
        "halt_state_unreadable",
        "The halt state is missing or unreadable, which counts as halted.",
    )
    ACCOUNT_DISABLED = "account_disabled", "The exchange account is disabled."
    STRATEGY_DISABLED = "strategy_disabled", "The strategy is disabled."
    SYMBOL_NOT_TRADABLE = "symbol_not_tradable", "The venue does not accept orders for this symbol now."
    SYMBOL_NOT_ALLOWED = "symbol_not_allowed", "The symbol is not on the allow-list of the limits in force."
    ORDER_TYPE_NOT_SUPPORTED = (
        "order_type_not_supported",
        "The venue does not offer this order type for the symbol.",
    )
    QUANTITY_OFF_LOT = "quantity_off_lot", "The quantity is not a whole number of lots."
    PRICE_OFF_TICK = "price_off_tick", "The price is not on the symbol's price grid."
    QUANTITY_TOO_SMALL = (
        "quantity_too_small",
        "The quantity is below the symbol's minimum, or zero after rounding.",
    )
    QUANTITY_TOO_LARGE = "quantity_too_large", "The quantity is above the symbol's maximum."
    NOTIONAL_TOO_SMALL = "notional_too_small", "The order is worth less than the venue's minimum."
    NOTIONAL_TOO_LARGE = "notional_too_large", "The order is worth more than the venue's maximum."
    MAX_ORDER_NOTIONAL = "max_order_notional", "The order is worth more than one order may be."
    MAX_ORDER_QUANTITY = "max_order_quantity", "The order asks for more base units than one order may."
    PRICE_MISSING = "price_missing", "No last price is known, so the order cannot be judged."
    PRICE_STALE = "price_stale", "The last price is too old to judge the order."
    PRICE_SOURCES_DISAGREE = (
        "price_sources_disagree",
        "The last price and the top of the book are too far apart to believe either.",
    )
    QUANTITY_UNKNOWN = "quantity_unknown", "The order's quantity in base units cannot be told."
    QUOTE_RATE_UNKNOWN = (
        "quote_rate_unknown",
        "The quote asset has no known rate in the reporting currency, so the order cannot be valued.",
    )
    PRICE_COLLAR = "price_collar", "The limit price is too far from the last price."
    VENUE_PRICE_BAND = "venue_price_band", "The limit price is outside the band that the venue accepts."
    SIGNAL_PRICE_COLLAR = (
        "signal_price_collar",
        "The price the signal was based on is too far from the last price.",
    )
    INSUFFICIENT_BALANCE = (
        "insufficient_balance",
        "The free balance does not cover the order and what is reserved.",
    )
    BALANCE_UNKNOWN = "balance_unknown", "The account's balances are unknown or too old."
    POSITIONS_STALE = "positions_stale", "The account's orders and fills were not read from the venue lately."
    CLOCK_UNKNOWN = (
        "clock_unknown",
        "This host's clock was not compared with the venue's lately, or is too far off.",
    )
    EXPOSURE_SYMBOL = "exposure_symbol", "The exposure in this symbol would exceed its limit."
    EXPOSURE_TOTAL = "exposure_total", "The total exposure would exceed its limit."
    EXPOSURE_UNKNOWN = "exposure_unknown", "The exposure cannot be computed, so nothing is added to it."
    MAX_CONCURRENT_POSITIONS = "max_concurrent_positions", "Too many positions would be open at once."
    MAX_OPEN_ORDERS = "max_open_orders", "Too many orders are open already."
    MAX_ORDERS_PER_MINUTE = "max_orders_per_minute", "Too many orders within a minute."
    MAX_NOTIONAL_PER_MINUTE = "max_notional_per_minute", "The orders of a minute would be worth too much."
    ORDER_TO_FILL_RATIO = "order_to_fill_ratio", "Too many orders are made for each one that is filled."
    PACE_UNKNOWN = "pace_unknown", "What was ordered lately cannot be counted, so nothing is added to it."
    IN_DOUBT_NOTIONAL = "in_doubt_notional", "Too much is in doubt at the venue to open anything new."
    REPEATED_EXECUTIONS = (
        "repeated_executions",
        "The strategy has made as many orders as it may before a person looks: it is disabled.",
    )
    DUPLICATE_ORDER = "duplicate_order", "The same order was asked for a moment ago."
    DAILY_LOSS = "daily_loss", "The loss of the day has reached its limit."
    DRAWDOWN = "drawdown", "The fall from the highest equity has reached its limit."
    EQUITY_UNKNOWN = "equity_unknown", "The day's profit or loss cannot be computed, so no new risk is taken."
    REDUCE_ONLY_WOULD_OPEN = "reduce_only_would_open", "A reduce-only order would open or grow a position."
    LIMITS_MISSING = "limits_missing", "No risk limits are in force, or one of them is unreadable."
    RULE_FAILED = "rule_failed", "A risk rule could not be computed, which counts as a denial."


_KNOWN: dict[str, DenialCode] = {code.value: code for code in DenialCode}


def explain_codes(codes: Iterable[str]) -> str:
    """Their sentences, each with its code beside it; a code of another version stands for itself."""
    return " ".join(
        f"{_KNOWN[code].explanation.rstrip('.')} ({code})." if code in _KNOWN else f"{code}."
        for code in codes
    )


def explain_reason(text: str) -> str:
    """A stored reason: codes become sentences, words stay as they are."""
    codes = [part.strip() for part in text.split(",")]
    return explain_codes(codes) if all(code in _KNOWN for code in codes) else text


@dataclass(frozen=True, slots=True)
class Denial:
    """One broken rule: its code, what was seen and what is allowed (both as plain text)."""

    code: DenialCode
    observed: str = ""
    limit: str = ""

    @property
    def message(self) -> str:
        return self.code.explanation
