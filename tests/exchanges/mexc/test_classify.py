"""Only listed answers are definite: by example, and by property on everything that can be mutated."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchanges.mexc.samples import ACKNOWLEDGED, ORDER, as_body, complaint
from trading.domain.enums import Side
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
from trading.exchanges.meanings import Does
from trading.exchanges.mexc.classify import (
    PlaceEcho,
    classify_cancel,
    classify_place,
    classify_query,
    find_read_error,
    retry_after_seconds,
)
from trading.exchanges.mexc.codes import CODES

ECHO = PlaceEcho("MXUSDT", Side.BUY, "LIMIT", Decimal(50))
HTML = b"<html><body>403 Forbidden</body></html>"


def place(status: int, body: bytes, retry_after: str = ""):
    return classify_place(status, body, ECHO, retry_after)


# -- placing ---------------------------------------------------------------------------------------------------


def test_an_acknowledgement_with_its_echo_is_placed() -> None:
    assert place(200, as_body(ACKNOWLEDGED)) == Placed("C02__342252993005723644225")


@pytest.mark.parametrize("field", ["side", "type", "origQty", "price", "orderListId"])
def test_a_missing_echo_field_does_not_matter(field: str) -> None:
    body = {key: value for key, value in ACKNOWLEDGED.items() if key != field}
    assert isinstance(place(200, as_body(body)), Placed)
    assert isinstance(place(200, as_body(ACKNOWLEDGED | {field: None})), Placed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"symbol": "BTCUSDT"},
        {"symbol": None},
        {"side": "SELL"},
        {"type": "MARKET"},
        {"origQty": "51"},
        {"origQty": "many"},
        {"orderId": None},
        {"orderId": ""},
        {"orderId": {"a": 1}},
        {"orderId": True},
        {"code": 30004},
    ],
)
def test_an_acknowledgement_of_something_else_is_unknown(wrong: dict) -> None:
    assert isinstance(place(200, as_body(ACKNOWLEDGED | wrong)), Unknown)


@pytest.mark.parametrize(
    ("code", "message", "reached_matching"),
    [
        (30004, "Insufficient position", True),
        (30005, "Oversold", True),
        (30002, "The minimum transaction volume cannot be less than:5USDT", True),
        (400, " quantity scale is invalid", True),
        (400, " amount scale is invalid", True),
        (400, "api key required", False),
        (700002, "Signature for this request is not valid.", False),
        (700003, "Timestamp for this request is outside of the recvWindow.", False),
        (700007, "No permission to access the endpoint", False),
    ],
)
def test_a_listed_code_is_a_definite_refusal(code: int, message: str, reached_matching: bool) -> None:
    for status in (200, 400, 401, 403):
        outcome = place(status, complaint(code, message))
        assert isinstance(outcome, Refused)
        assert outcome.venue_code == str(code)
        assert outcome.reached_matching is reached_matching
        assert outcome.message == message.strip()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"{}"),
        (200, b"[]"),
        (200, HTML),
        (200, as_body(ACKNOWLEDGED)[:-5]),
        (200, as_body({"code": 200, "data": ACKNOWLEDGED})),
        (200, complaint(0)),
        (200, complaint(99999)),
        (400, complaint(99999)),
        (400, complaint(-2010, "Duplicate order sent.")),
        (400, complaint(30004, "client order id already exists")),
        (400, complaint(-2011, "Unknown order sent.")),
        (400, complaint(-2013)),
        (400, complaint("30004")),
        (400, complaint(True)),
        (400, complaint(400, "something is invalid")),
        (400, as_body({"code": 30004, "msg": "x", "orderId": "1"})),
        (403, HTML),
        (404, complaint(30004)),
        (408, complaint(30004)),
        (500, complaint(30004)),
        (502, HTML),
        (503, complaint(503, "Unknown error, please check your request or try again later.")),
        (400, complaint(503)),
        (200, complaint(730000)),
        (302, b""),
        (429, b"slow down"),
        (429, b""),
        (418, as_body(ACKNOWLEDGED)),
        (201, as_body(ACKNOWLEDGED)),
    ],
)
def test_everything_else_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(place(status, body), Unknown)


def test_429_with_the_venues_json_was_not_executed_and_says_when_to_come_back() -> None:
    outcome = place(429, complaint(429, "Too Many Requests"), "7")
    assert isinstance(outcome, Refused)
    assert not outcome.reached_matching
    assert outcome.retry_after_seconds == 7


@pytest.mark.parametrize("body", [b"", HTML, complaint(418)])
def test_a_ban_was_not_executed(body: bytes) -> None:
    outcome = place(418, body, "300")
    assert isinstance(outcome, Refused)
    assert not outcome.reached_matching
    assert outcome.retry_after_seconds == 300


@pytest.mark.parametrize(
    ("status", "header", "seconds"),
    [
        (429, "30", 30),
        (429, "", 10),
        (429, "soon", 10),
        (429, "-1", 10),
        (429, "0", 10),
        (418, "", 120),
        (418, "99999999", 259200),
        (418, "9" * 5000, 120),
    ],
)
def test_retry_after_is_taken_where_it_makes_sense(status: int, header: str, seconds: float) -> None:
    assert retry_after_seconds(status, header) == seconds


def test_a_test_order_succeeds_with_an_empty_object() -> None:
    assert classify_place(200, b"{}", ECHO, is_test=True) == Placed("")
    assert isinstance(classify_place(200, b"[]", ECHO, is_test=True), Unknown)
    assert isinstance(classify_place(400, complaint(30004), ECHO, is_test=True), Refused)


# -- canceling and asking --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        as_body(ORDER | {"status": "NEW"}),
        as_body({"symbol": "A", "orderId": "1"}),
        as_body([ORDER, ORDER]),
        b"[]",
        as_body({"code": 200, "msg": "success", "timestamp": 1}),
    ],
)
def test_a_cancel_is_accepted_whatever_status_it_repeats(body: bytes) -> None:
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
        (200, as_body([{"code": 1}])),
        (400, complaint(99999)),
        (500, b"[]"),
    ],
)
def test_any_other_answer_to_a_cancel_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(classify_cancel(status, body), Unknown)


def query(status: int, body: bytes):
    return classify_query(status, body, "LTCBTC", "myOrder1")


def test_a_found_order_is_the_one_that_was_asked_for() -> None:
    assert isinstance(query(200, as_body(ORDER)), OrderFound)
    by_id = classify_query(200, as_body(ORDER), "LTCBTC", "", ORDER["orderId"])
    assert isinstance(by_id, OrderFound)


@pytest.mark.parametrize(
    "other",
    [{"clientOrderId": "other"}, {"clientOrderId": None}, {"symbol": "BTCUSDT"}, {"status": "REJECTED"}],
)
def test_another_order_or_an_unknown_word_is_no_answer(other: dict) -> None:
    assert isinstance(query(200, as_body(ORDER | other)), QueryFailed)


@pytest.mark.parametrize("code", [-2013, 22222])
def test_not_found_takes_the_documented_code(code: int) -> None:
    assert query(400, complaint(code)) == OrderNotFound(str(code))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (404, complaint(-2013)),
        (500, complaint(-2013)),
        (400, complaint(-2011)),
        (400, complaint("-2013")),
        (400, complaint(30026)),
        (200, b"{}"),
        (200, b"[]"),
        (200, b"null"),
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
        (400, complaint(510), VenueThrottled),
        (503, HTML, VenueUnavailable),
        (400, complaint(730000), VenueUnavailable),
        (400, complaint(700006), VenueRefused),
        (400, complaint(99999), VenueRefused),
        (403, HTML, VenueRefused),
        (302, b"", VenueRefused),
    ],
)
def test_a_failed_read_has_the_error_that_fits(status: int, body: bytes, error: type) -> None:
    assert isinstance(find_read_error(status, body, ""), error)


def test_a_success_envelope_is_no_error() -> None:
    assert find_read_error(200, as_body({"code": 200, "data": []}), "") is None
    assert find_read_error(200, as_body({"code": 0, "data": []}), "") is None


def test_every_listed_code_has_a_meaning_and_a_source() -> None:
    assert all(meaning.meaning and meaning.source for meaning in CODES.values())
    assert all(CODES[code].does is Does.DOUBT for code in (500, 503, 504, 20002, 730000))


@pytest.mark.parametrize("code", [[], {}, "0", None])
def test_a_success_code_of_a_wrong_type_proves_nothing(code) -> None:
    assert isinstance(place(200, as_body(ACKNOWLEDGED | {"code": code})), Unknown)
