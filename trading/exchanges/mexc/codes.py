"""MEXC's error codes: the allow-list of what is definite. Data only.

A code that is not here proves nothing, and neither does one that does DOUBT. Code 400 means different things by its
text, so it is judged by MESSAGES_OF_400. Sources as in `constants`; D26 alone is the page of error codes.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..meanings import CodeMeaning, Does

_TABLE: tuple[tuple[int, Does, str, str], ...] = (
    (401, Does.NOT_RUN, "no authority", "D26"),
    (403, Does.NOT_RUN, "access denied", "D26"),
    (602, Does.NOT_RUN, "signature invalid", "D26"),
    (700002, Does.NOT_RUN, "signature invalid, also for a wrong or expired key", "D26"),
    (700001, Does.NOT_RUN, "key format invalid", "D26"),
    (10072, Does.NOT_RUN, "invalid access key", "D26"),
    (10073, Does.NOT_RUN, "invalid request time", "D26"),
    (700003, Does.NOT_RUN, "timestamp outside the receive window", "D26"),
    (700005, Does.NOT_RUN, "receive window above 60 s", "D26"),
    (700006, Does.NOT_RUN, "address not on the key's list", "D26"),
    (700007, Does.NOT_RUN, "key lacks the right for this endpoint", "D26"),
    (700011, Does.NOT_RUN, "interface not allowed for this key", "LIVE"),
    (700013, Does.NOT_RUN, "bad content type", "D26"),
    (70011, Does.NOT_RUN, "pair barred for this key", "D26"),
    (60005, Does.NOT_RUN, "abnormal account", "D26"),
    (10098, Does.NOT_RUN, "risk control", "D26"),
    (429, Does.NOT_RUN, "too many requests", "D26"),
    (510, Does.NOT_RUN, "too many requests, older form", "D26"),
    (700004, Does.REJECT, "mandatory parameter missing", "D26"),
    (700008, Does.REJECT, "illegal characters", "LIVE: client id of 33 characters"),
    (-1121, Does.REJECT, "invalid symbol", "D26"),
    (10007, Does.REJECT, "symbol not supported by the API", "D26"),
    (30014, Does.REJECT, "invalid symbol", "D26"),
    (30021, Does.REJECT, "invalid symbol", "D26"),
    (730001, Does.REJECT, "invalid symbol", "D26"),
    (-1127, Does.REJECT, "bad parameter", "D26"),
    (-1128, Does.REJECT, "bad combination of parameters", "D26"),
    (33333, Does.REJECT, "parameter error", "D26"),
    (44444, Does.REJECT, "parameter error", "D26"),
    (30000, Does.REJECT, "trading suspended for the symbol", "D26"),
    (30016, Does.REJECT, "trading disabled", "D26"),
    (30001, Does.REJECT, "side not allowed", "D26"),
    (30002, Does.REJECT, "below the minimum notional", "D26"),
    (30003, Does.REJECT, "above the maximum notional", "D26"),
    (30004, Does.REJECT, "insufficient balance", "D26, HB"),
    (30005, Does.REJECT, "oversold: not enough of the base asset", "D26, HB"),
    (10101, Does.REJECT, "insufficient balance", "D26"),
    (30010, Does.REJECT, "no valid price", "D26"),
    (30087, Does.REJECT, "price outside the band", "D26"),
    (30018, Does.REJECT, "market orders disabled", "D26"),
    (30019, Does.REJECT, "market orders disabled", "D26"),
    (30020, Does.REJECT, "no permission for the symbol", "D26"),
    (30025, Does.REJECT, "no counter order", "D26"),
    (30027, Does.REJECT, "position limit", "D26"),
    (30028, Does.REJECT, "position limit", "D26"),
    (30029, Does.REJECT, "open orders at their limit", "D26"),
    (30032, Does.REJECT, "open orders at their limit", "D26"),
    (30041, Does.REJECT, "order type not allowed", "D26"),
    (11444, Does.REJECT, "temporarily unavailable", "D26"),
    (-2011, Does.NO_SUCH_ORDER, "unknown order; often it is filled already", "D26"),
    (-2013, Does.NO_SUCH_ORDER, "order does not exist", "D26, LIVE"),
    (22222, Does.NO_SUCH_ORDER, "record does not exist", "D26"),
    (30026, Does.NO_SUCH_ORDER, "invalid order ids", "D26"),
    (500, Does.DOUBT, "internal error", "D26"),
    (503, Does.DOUBT, "internal error, execution unknown", "HB"),
    (504, Does.DOUBT, "gateway time-out", "D26"),
    (20002, Does.DOUBT, "internal error", "D26"),
    (730000, Does.DOUBT, "internal error", "D26"),
)

CODES: Mapping[int, CodeMeaning] = {
    code: CodeMeaning(does, meaning, source) for code, does, meaning, source in _TABLE
}

# No source knows the wording for a price with too many decimals, so that one stays in doubt.
MESSAGES_OF_400: tuple[tuple[str, CodeMeaning], ...] = (
    ("api key required", CodeMeaning(Does.NOT_RUN, "no key was sent", "D26")),
    ("quantity scale is invalid", CodeMeaning(Does.REJECT, "quantity has too many decimals", "HB")),
    ("amount scale is invalid", CodeMeaning(Does.REJECT, "quote quantity has too many decimals", "HB")),
)

SUCCESS_CODES = frozenset({0, 200})
CLOCK_CODES = frozenset({"700003", "10073"})
THROTTLE_CODES = frozenset({"429", "510"})
# A query only: the codes that state that the order is not there. -2011 and 30026 are answers to a cancel.
NOT_FOUND_CODES = frozenset({"-2013", "22222"})
# HTTP statuses on which the venue's API itself is known to answer with a code.
CODED_STATUSES = frozenset({200, 400, 401, 403, 429})
