"""Only listed answers are definite: every code of the table by itself, and what only looks like one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchanges.binance.samples import CANCELED, ORDER, ORDER_LIST, PLACED, as_body, complaint
from trading.domain.enums import Side, VenueOrderStatus
from trading.domain.errors import VenueRefused, VenueThrottled, VenueUnavailable
from trading.domain.outcomes import (
    CancelAccepted,
    CancelRefused,
    OrderFound,
    OrderNotFound,
    Placed,
    QueryFailed,
    Refused,
    Unknown,
)
from trading.exchanges.binance.classify import (
    BinanceEcho,
    classify_cancel,
    classify_place,
    classify_query,
    find_read_error,
    retry_after_seconds,
)
from trading.exchanges.binance.codes import CODES, MESSAGES
from trading.exchanges.meanings import Does

ECHO = BinanceEcho("BTCUSDT", PLACED["clientOrderId"], Side.BUY, "LIMIT", Decimal("0.001"))
HTML = b"<html><body>403 Forbidden</body></html>"


def place(status: int, body: bytes, retry_after: str = ""):
    return classify_place(status, body, ECHO, retry_after)


# -- placing ---------------------------------------------------------------------------------------------------


def test_an_acknowledgement_with_its_echo_is_placed_and_tells_its_state() -> None:
    outcome = place(200, as_body(PLACED | {"status": "EXPIRED"}))
    assert isinstance(outcome, Placed) and outcome.exchange_order_id == "BTCUSDT:28"
    assert outcome.report is not None and outcome.report.status is VenueOrderStatus.EXPIRED


def test_a_word_nobody_knows_leaves_the_state_open_and_not_the_acknowledgement() -> None:
    assert place(200, as_body(PLACED | {"status": "DREAMING"})) == Placed("BTCUSDT:28")


@pytest.mark.parametrize("field", ["side", "type", "origQty", "price", "status", "executedQty"])
def test_a_missing_field_beside_the_ids_does_not_matter(field: str) -> None:
    body = {key: value for key, value in PLACED.items() if key != field}
    assert isinstance(place(200, as_body(body)), Placed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"symbol": "ETHUSDT"},
        {"symbol": None},
        {"clientOrderId": "another"},
        {"clientOrderId": None},
        {"side": "SELL"},
        {"type": "MARKET"},
        {"origQty": "0.002"},
        {"origQty": "many"},
        {"orderId": None},
        {"orderId": ""},
        {"orderId": -1},
        {"orderId": {"a": 1}},
        {"orderId": True},
        {"code": -2010},
        {"code": 0},
    ],
)
def test_an_acknowledgement_of_something_else_is_unknown(wrong: dict) -> None:
    assert isinstance(place(200, as_body(PLACED | wrong)), Unknown)


@pytest.mark.parametrize(
    ("code", "message", "reached_matching"),
    [
        (-2010, "Account has insufficient balance for requested action.", True),
        (-2010, "Order would immediately match and take.", True),
        (-2010, "Market is closed.", True),
        (-2010, "This action is disabled on this account.", False),
        (-1013, "Filter failure: NOTIONAL", True),
        (-1111, "Parameter 'quantity' has too much precision.", True),
        (-1121, "Invalid symbol.", True),
        (-1021, "Timestamp for this request is outside of the recvWindow.", False),
        (-1022, "Signature for this request is not valid.", False),
        (-2015, "Invalid API-key, IP, or permissions for action.", False),
    ],
)
def test_a_listed_code_is_a_definite_refusal(code: int, message: str, reached_matching: bool) -> None:
    for status in (400, 401, 403):
        outcome = place(status, complaint(code, message))
        assert isinstance(outcome, Refused)
        assert (outcome.venue_code, outcome.message) == (str(code), message)
        assert outcome.reached_matching is reached_matching


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"{}"),
        (200, b"[]"),
        (200, HTML),
        (200, as_body(PLACED)[:-5]),
        (200, complaint(-2010, "Account has insufficient balance for requested action.")),
        (201, as_body(PLACED)),
        (400, complaint(-2010, "Duplicate order sent.")),
        (400, complaint(-1013, "Duplicate order sent.")),
        (400, complaint(-2010, "Something new happened.")),
        (400, complaint(-2010, None)),
        (400, complaint(-2011, "Unknown order sent.")),
        (400, complaint(-2013)),
        (400, complaint(-99999)),
        (400, complaint(2010, "Account has insufficient balance for requested action.")),
        (400, complaint("-1013")),
        (400, complaint(True)),
        (400, as_body({"code": -1013, "msg": "x", "orderId": 1})),
        (400, complaint(-1000)),
        (400, complaint(-1001, "Internal error; unable to process your request. Please try again.")),
        (400, complaint(-1006)),
        (400, complaint(-1007)),
        (400, complaint(-1008)),
        (400, complaint(-1016)),
        (403, HTML),
        (404, complaint(-1013)),
        (409, complaint(-2021)),
        (429, b"slow down"),
        (429, complaint(-1013)),
        (429, complaint(-1007)),
        (500, complaint(-1013)),
        (502, HTML),
        (503, complaint(-1003)),
        (504, complaint(-1007, "Timeout waiting for response from backend server.")),
        (302, b""),
        (418, as_body(PLACED)),
    ],
)
def test_everything_else_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(place(status, body), Unknown)


def test_429_with_the_venues_code_was_not_executed_and_says_when_to_come_back() -> None:
    weight, orders = place(429, complaint(-1003), "7"), place(429, complaint(-1015))
    for outcome in (weight, orders):
        assert isinstance(outcome, Refused) and not outcome.reached_matching
    assert (weight.retry_after_seconds, orders.retry_after_seconds) == (7, 10)


@pytest.mark.parametrize("body", [b"", HTML, complaint(-1003, "IP banned until 1659146400000.")])
def test_a_ban_was_not_executed(body: bytes) -> None:
    outcome = place(418, body, "300")
    assert isinstance(outcome, Refused) and not outcome.reached_matching
    assert outcome.retry_after_seconds == 300


@pytest.mark.parametrize(
    ("status", "header", "code", "seconds"),
    [
        (429, "30", "", 30),
        (429, "", "-1003", 60),
        (429, "", "-1015", 10),
        (429, "soon", "", 60),
        (418, "", "", 120),
        (418, "99999999", "", 259200),
        (418, "9" * 5000, "", 120),
    ],
)
def test_retry_after_is_taken_where_it_makes_sense(
    status: int, header: str, code: str, seconds: float
) -> None:
    assert retry_after_seconds(status, header, code) == seconds


def test_a_test_order_succeeds_with_an_empty_object_only() -> None:
    assert classify_place(200, b"{}", ECHO, is_test=True) == Placed("")
    for body in (b"[]", complaint(0), as_body(PLACED)):
        assert isinstance(classify_place(200, body, ECHO, is_test=True), Unknown)
    assert isinstance(classify_place(400, complaint(-1013), ECHO, is_test=True), Refused)


# -- canceling and asking --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [as_body(CANCELED), as_body([CANCELED, ORDER_LIST]), as_body(CANCELED | {"status": "FILLED"})]
)
def test_a_cancel_is_accepted_whatever_it_names(body: bytes) -> None:
    assert classify_cancel(200, body) == CancelAccepted()


def test_an_unknown_order_is_a_definite_refusal_of_a_cancel() -> None:
    assert classify_cancel(400, complaint(-2011, "Unknown order sent.")) == CancelRefused(
        "-2011", "Unknown order sent."
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"{}"),
        (200, b"null"),
        (200, HTML),
        (200, as_body([{"code": -1}])),
        (400, complaint(-99999)),
        (400, complaint(-2010, "Something new happened.")),
        (400, complaint(-1007)),
        (500, b"[]"),
    ],
)
def test_any_other_answer_to_a_cancel_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(classify_cancel(status, body), Unknown)


def query(status: int, body: bytes):
    return classify_query(status, body, "LTCBTC", "myOrder1")


def test_a_found_order_is_the_one_that_was_asked_for() -> None:
    assert isinstance(query(200, as_body(ORDER)), OrderFound)
    assert isinstance(classify_query(200, as_body(ORDER), "LTCBTC", "", "LTCBTC:1"), OrderFound)
    assert isinstance(classify_query(200, as_body(ORDER), "LTCBTC", "", "LTCBTC:2"), QueryFailed)


@pytest.mark.parametrize(
    "other",
    [
        {"clientOrderId": "other"},
        {"clientOrderId": None},
        {"symbol": "BTCUSDT"},
        {"status": "PENDING_CANCEL"},
        {"cummulativeQuoteQty": "-1.0"},
    ],
)
def test_another_order_or_an_unknown_word_is_no_answer(other: dict) -> None:
    assert isinstance(query(200, as_body(ORDER | other)), QueryFailed)


def test_not_found_takes_the_documented_code() -> None:
    assert query(400, complaint(-2013)) == OrderNotFound("-2013")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (404, complaint(-2013)),
        (500, complaint(-2013)),
        (200, complaint(-2013)),
        (400, complaint(-2011)),
        (400, complaint(-2026)),
        (400, complaint("-2013")),
        (200, b"{}"),
        (200, b"[]"),
        (200, HTML),
    ],
)
def test_nothing_else_means_not_found(status: int, body: bytes) -> None:
    assert isinstance(query(status, body), QueryFailed)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, b"", VenueThrottled),
        (418, b"", VenueThrottled),
        (400, complaint(-1003), VenueThrottled),
        (503, HTML, VenueUnavailable),
        (400, complaint(-1001), VenueUnavailable),
        (400, complaint(-1121), VenueRefused),
        (400, complaint(-99999), VenueRefused),
        (403, HTML, VenueRefused),
        (302, b"", VenueRefused),
    ],
)
def test_a_failed_read_has_the_error_that_fits(status: int, body: bytes, error: type) -> None:
    assert isinstance(find_read_error(status, body, ""), error)


def test_every_listed_code_has_a_meaning_and_a_source_and_doubt_stays_doubt() -> None:
    assert all(meaning.meaning and meaning.source for meaning in CODES.values())
    assert all(CODES[code].does is Does.DOUBT for code in (-1000, -1001, -1006, -1007, -1008, -1016))
    assert all(text == text.casefold() for text, _ in MESSAGES)
    assert -2010 not in CODES, "judged by its message alone"
