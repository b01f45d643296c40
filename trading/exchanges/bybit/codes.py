"""Bybit's error codes: the allow-list of what is definite. Data only.

A code that is not here proves nothing, and neither does one that does DOUBT. All are from the venue's page of error
codes [DOC]; most come with HTTP 200. A duplicate client order id is in doubt: it says that a first request got
through.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..meanings import CodeMeaning, Does

_TABLE: tuple[tuple[int, Does, str], ...] = (
    (-1, Does.NOT_RUN, "request expired"),
    (-2015, Does.NOT_RUN, "API key expired"),
    (429, Does.NOT_RUN, "the venue is under high load"),
    (10002, Does.NOT_RUN, "timestamp outside the receive window"),
    (10003, Does.NOT_RUN, "API key invalid, or one of another installation of the venue"),
    (10004, Does.NOT_RUN, "signature invalid"),
    (10005, Does.NOT_RUN, "key lacks the right for this endpoint"),
    (10006, Does.NOT_RUN, "too many requests"),
    (10007, Does.NOT_RUN, "authentication failed"),
    (10008, Does.NOT_RUN, "account banned"),
    (10009, Does.NOT_RUN, "not available in this region"),
    (10010, Does.NOT_RUN, "address not on the key's list"),
    (10017, Does.NOT_RUN, "no such endpoint"),
    (10024, Does.NOT_RUN, "compliance rules"),
    (10027, Does.NOT_RUN, "trading banned"),
    (10028, Does.NOT_RUN, "for unified accounts only"),
    (10429, Does.NOT_RUN, "protection of the whole venue"),
    (33004, Does.NOT_RUN, "API key expired"),
    (170005, Does.NOT_RUN, "too many new orders"),
    (170222, Does.NOT_RUN, "too many requests"),
    (10001, Does.REJECT, "parameter error"),
    (10029, Does.REJECT, "symbol invalid or not on the key's list"),
    (30208, Does.REJECT, "price above the highest buying price"),
    (30209, Does.REJECT, "price below the lowest selling price"),
    (170031, Does.REJECT, "feature suspended"),
    (170033, Does.REJECT, "insufficient balance"),
    (170105, Does.REJECT, "parameter empty"),
    (170115, Does.REJECT, "time in force invalid"),
    (170116, Does.REJECT, "order type invalid"),
    (170117, Does.REJECT, "side invalid"),
    (170121, Does.REJECT, "symbol invalid"),
    (170124, Does.REJECT, "order too large"),
    (170130, Does.REJECT, "parameter not valid"),
    (170131, Does.REJECT, "insufficient balance"),
    (170132, Does.REJECT, "price too high"),
    (170133, Does.REJECT, "price too low"),
    (170134, Does.REJECT, "price has too many decimals"),
    (170136, Does.REJECT, "quantity below the minimum"),
    (170137, Does.REJECT, "quantity has too many decimals"),
    (170140, Does.REJECT, "notional below the minimum"),
    (170148, Does.REJECT, "quote quantity has too many decimals"),
    (170151, Does.REJECT, "pair not open yet"),
    (170157, Does.REJECT, "pair not available to the API"),
    (170159, Does.REJECT, "no market orders so soon after a listing"),
    (170192, Does.REJECT, "price too high"),
    (170193, Does.REJECT, "buying price too high"),
    (170194, Does.REJECT, "selling price too low"),
    (170201, Does.REJECT, "order filter invalid"),
    (170206, Does.REJECT, "no such order so soon after a listing"),
    (170209, Does.REJECT, "pair for other regions only"),
    (170210, Does.REJECT, "new order rejected"),
    (170217, Does.REJECT, "only post-only orders for this pair"),
    (170218, Does.REJECT, "post-only price invalid"),
    (170227, Does.REJECT, "feature not supported"),
    (170228, Does.REJECT, "above the largest purchase"),
    (170229, Does.REJECT, "above the largest sale"),
    (170341, Does.REJECT, "quantity above the maximum"),
    (170371, Does.REJECT, "price below the limit"),
    (170372, Does.REJECT, "price above the limit"),
    (170381, Does.REJECT, "quantity too large"),
    (170382, Does.REJECT, "quantity too large"),
    (170810, Does.REJECT, "500 open orders"),
    # Answers to a cancel; about a new order they say nothing.
    (170139, Does.NO_SUCH_ORDER, "order is filled"),
    (170142, Does.NO_SUCH_ORDER, "order is canceled"),
    (170143, Does.NO_SUCH_ORDER, "order not in the book"),
    (170144, Does.NO_SUCH_ORDER, "order is locked"),
    (170145, Does.NO_SUCH_ORDER, "order cannot be canceled"),
    (170190, Does.NO_SUCH_ORDER, "cancel is finished"),
    (170191, Does.NO_SUCH_ORDER, "cannot be canceled now"),
    (170213, Does.NO_SUCH_ORDER, "order does not exist; often it is filled already"),
    (10000, Does.DOUBT, "time-out of the venue"),
    (10014, Does.DOUBT, "duplicate request: the first one may have got through"),
    (10016, Does.DOUBT, "internal error"),
    (10019, Does.DOUBT, "restarting"),
    (110072, Does.DOUBT, "duplicate client order id: the first request got through"),
    (170001, Does.DOUBT, "internal error"),
    (170007, Does.DOUBT, "time-out of the backend"),
    (170032, Does.DOUBT, "network error"),
    (170035, Does.DOUBT, "submitted for processing"),
    (170141, Does.DOUBT, "duplicate client order id: the first request got through"),
    (170146, Does.DOUBT, "time-out of the creation"),
    (170147, Does.DOUBT, "time-out of the cancel"),
    (170149, Does.DOUBT, "creation failed, nobody says how far it got"),
    (170150, Does.DOUBT, "cancel failed, nobody says how far it got"),
    (170212, Does.DOUBT, "cancel is under way"),
    (170234, Does.DOUBT, "system error"),
)

CODES: Mapping[int, CodeMeaning] = {code: CodeMeaning(does, meaning, "DOC") for code, does, meaning in _TABLE}
SUCCESS_CODE = 0
CLOCK_CODES = frozenset({"-1", "10002"})
# The account's own limits: a moment later there is room again.
THROTTLE_CODES = frozenset({"10006", "170005", "170222"})
# Protection of the whole venue: everybody stays away.
LOAD_CODES = frozenset({"429", "10429"})
# A query of a list that knows the order's name and not the order.
NOT_FOUND_CODES = frozenset({"170213"})
# HTTP statuses on which the venue's API itself is known to answer with a code.
CODED_STATUSES = frozenset({200, 400, 401, 403, 404, 429})
