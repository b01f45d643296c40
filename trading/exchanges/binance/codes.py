"""Binance's error codes: the allow-list of what is definite. Data only.

A code that is not here proves nothing, and neither does one that does DOUBT. -2010 carries whatever the matching engine
said, so it is judged by MESSAGES. Sources as in `constants`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..meanings import CodeMeaning, Does

_TABLE: tuple[tuple[int, Does, str, str], ...] = (
    (-1002, Does.NOT_RUN, "no authority", "DOC"),
    (-1003, Does.NOT_RUN, "too much request weight", "DOC"),
    (-1015, Does.NOT_RUN, "too many new orders", "DOC"),
    (-1021, Does.NOT_RUN, "timestamp outside the receive window", "DOC"),
    (-1022, Does.NOT_RUN, "signature invalid", "DOC"),
    (-1034, Does.NOT_RUN, "too many connections", "DOC"),
    (-1131, Does.NOT_RUN, "receive window above 60 s", "CCXT"),
    (-2008, Does.NOT_RUN, "unknown key", "CCXT"),
    (-2014, Does.NOT_RUN, "key format invalid", "DOC"),
    (-2015, Does.NOT_RUN, "key, address or permission invalid", "DOC"),
    (-1013, Does.REJECT, "against a filter of the symbol", "DOC"),
    (-1014, Does.REJECT, "unsupported combination", "DOC"),
    (-1020, Does.REJECT, "unsupported operation", "DOC"),
    (-1100, Does.REJECT, "illegal characters", "DOC"),
    (-1101, Does.REJECT, "too many parameters", "DOC"),
    (-1102, Does.REJECT, "mandatory parameter missing or malformed", "DOC"),
    (-1103, Does.REJECT, "unknown parameter", "DOC"),
    (-1104, Does.REJECT, "parameters that nobody reads", "DOC"),
    (-1105, Does.REJECT, "parameter empty", "DOC"),
    (-1106, Does.REJECT, "parameter not required", "DOC"),
    (-1108, Does.REJECT, "parameter overflows", "DOC"),
    (-1111, Does.REJECT, "too many decimals", "DOC"),
    (-1114, Does.REJECT, "timeInForce not required", "DOC"),
    (-1115, Does.REJECT, "invalid timeInForce", "DOC"),
    (-1116, Does.REJECT, "invalid order type", "DOC"),
    (-1117, Does.REJECT, "invalid side", "DOC"),
    (-1118, Does.REJECT, "client id empty", "DOC"),
    (-1121, Does.REJECT, "invalid symbol", "DOC"),
    (-1128, Does.REJECT, "bad combination of parameters", "DOC"),
    (-1130, Does.REJECT, "invalid parameter", "DOC"),
    (-2011, Does.NO_SUCH_ORDER, "not open: filled, canceled or never there", "DOC"),
    (-2013, Does.NO_SUCH_ORDER, "order does not exist", "DOC"),
    (-2039, Does.NO_SUCH_ORDER, "the two ids name different orders", "DOC"),
    (-1000, Does.DOUBT, "unknown error", "DOC"),
    (-1001, Does.DOUBT, "disconnected inside the venue", "DOC"),
    (-1006, Does.DOUBT, "execution status unknown", "DOC"),
    (-1007, Does.DOUBT, "time-out, execution status unknown", "DOC"),
    (-1008, Does.DOUBT, "overloaded; nothing says that it was not processed", "DOC"),
    (-1016, Does.DOUBT, "shutting down", "DOC"),
    (-2026, Does.DOUBT, "archived: ended without fills over 90 days ago", "DOC"),
)

CODES: Mapping[int, CodeMeaning] = {
    code: CodeMeaning(does, meaning, source) for code, does, meaning, source in _TABLE
}

# What the matching engine says behind -2010, in small letters [DOC]. A duplicate is not among them: it means that the
# first order of that id got through.
ENGINE_CODE = -2010
MESSAGES: tuple[tuple[str, CodeMeaning], ...] = (
    ("insufficient balance", CodeMeaning(Does.REJECT, "insufficient balance", "DOC")),
    ("would immediately match and take", CodeMeaning(Does.REJECT, "would not have been a maker", "DOC")),
    ("market is closed", CodeMeaning(Does.REJECT, "the symbol is not trading", "DOC")),
    ("not supported for this symbol", CodeMeaning(Does.REJECT, "not offered for the symbol", "DOC")),
    ("not support for this symbol", CodeMeaning(Does.REJECT, "not offered for the symbol", "DOC")),
    ("price * qty is zero or less", CodeMeaning(Does.REJECT, "worth nothing", "DOC")),
    ("unsupported order combination", CodeMeaning(Does.REJECT, "unsupported combination", "DOC")),
    ("order book liquidity is less than", CodeMeaning(Does.REJECT, "the book is too thin", "DOC")),
    ("symbol is not permitted", CodeMeaning(Does.NOT_RUN, "the account may not trade the symbol", "DOC")),
    ("symbol is restricted", CodeMeaning(Does.NOT_RUN, "the account may not trade the symbol", "DOC")),
    ("action is disabled on this account", CodeMeaning(Does.NOT_RUN, "disabled for the account", "DOC")),
    (
        "may not place or cancel orders",
        CodeMeaning(Does.NOT_RUN, "the account may not trade", "DOC"),
    ),
    ("rest api trading is not enabled", CodeMeaning(Does.NOT_RUN, "no trading on this server", "DOC")),
)

CLOCK_CODES = frozenset({"-1021"})
# Of the address, and of the account's new orders alone.
THROTTLE_CODES = frozenset({"-1003", "-1015", "-1034"})
ORDERS_CODE = "-1015"
# A query only. -2011 is an answer to a cancel.
NOT_FOUND_CODES = frozenset({"-2013"})
NOTHING_OPEN_CODE = "-2011"
NO_SYMBOL_CODE = "-1121"
# HTTP statuses on which the venue's API itself is known to answer with a code.
CODED_STATUSES = frozenset({400, 401, 403, 429})
