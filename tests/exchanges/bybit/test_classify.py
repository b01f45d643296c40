"""Only listed answers are definite: by example, and by property on everything that can be mutated."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchanges.bybit.samples import ACKNOWLEDGED, CANCELED_ALL, CLIENT_ID, ORDER, as_body, complaint
from trading.domain.errors import MalformedAnswer, VenueRefused, VenueThrottled, VenueUnavailable
from trading.domain.outcomes import CancelAccepted, CancelRefused, Placed, Refused, Unknown
from trading.exchanges.bybit.classify import (
    classify_cancel,
    classify_place,
    find_code,
    find_read_error,
    pause_after,
    seconds_until_reset,
)
from trading.exchanges.bybit.codes import CODED_STATUSES, CODES
from trading.exchanges.meanings import Does

HTML = b"<html><body>403 Forbidden</body></html>"
TOO_FREQUENT = b"403, access too frequent"
ORDER_IN_IT = ACKNOWLEDGED | {"retCode": 170131, "retMsg": "Insufficient balance."}


def place(status: int, body: bytes, code_pause: float = 1.0):
    return classify_place(status, body, CLIENT_ID, code_pause)


# -- placing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["OK", "success", "SUCCESS", ""])
def test_an_acknowledgement_with_our_own_id_is_placed_whatever_its_text_says(said: str) -> None:
    placed = place(200, as_body(ACKNOWLEDGED | {"retMsg": said}))
    assert placed == Placed("1321003749386327552")
    assert placed.report is None, "acceptance is asynchronous: nothing is known of the order's status"


@pytest.mark.parametrize(
    "result",
    [
        {},
        [],
        None,
        {"orderId": "1"},
        {"orderId": "", "orderLinkId": CLIENT_ID},
        {"orderId": 1321003749386327552, "orderLinkId": CLIENT_ID},
        {"orderId": None, "orderLinkId": CLIENT_ID},
        {"orderId": "1", "orderLinkId": "somebody-elses"},
        {"orderLinkId": CLIENT_ID},
    ],
)
def test_an_acknowledgement_of_something_else_is_unknown(result) -> None:
    assert isinstance(place(200, as_body(ACKNOWLEDGED | {"result": result})), Unknown)


@pytest.mark.parametrize(
    ("code", "reached_matching"),
    [
        (170131, True),
        (170140, True),
        (170137, True),
        (170193, True),
        (170810, True),
        (10001, True),
        (10002, False),
        (10003, False),
        (10004, False),
        (10005, False),
        (10010, False),
        (10024, False),
        (33004, False),
        (-2015, False),
    ],
)
def test_a_listed_code_is_a_definite_refusal_with_any_status_of_the_api(code, reached_matching) -> None:
    for status in sorted(CODED_STATUSES):
        outcome = place(status, complaint(code, " a text "))
        assert isinstance(outcome, Refused)
        assert (outcome.venue_code, outcome.message) == (str(code), "a text")
        assert outcome.reached_matching is reached_matching
        assert outcome.retry_after_seconds is None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (170141, "Duplicate clientOrderId"),
        (110072, "OrderLinkedID is duplicate"),
        (10014, "Invalid duplicate request"),
        (10001, "orderLinkId already exists"),
        (170146, "Order creation timeout"),
        (170035, "Submitted to the system for processing!"),
        (170149, "Create order failed"),
        (170213, "Order does not exist."),
        (10000, "Server Timeout"),
        (10016, "Server error"),
        (170007, "Timeout waiting for response from backend server."),
        (987654, "a code nobody knows"),
        ("170131", "a code that is a text"),
        (True, "a code that is a truth"),
        (None, ""),
        (170131.0, ""),
    ],
)
def test_what_may_have_got_through_or_is_not_listed_is_unknown(code, message) -> None:
    assert isinstance(place(200, complaint(code, message)), Unknown)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"{}"),
        (200, b"[]"),
        (200, HTML),
        (200, as_body(ACKNOWLEDGED)[:-5]),
        (200, as_body(ORDER_IN_IT)),
        (201, as_body(ACKNOWLEDGED)),
        (302, as_body(ACKNOWLEDGED)),
        (403, HTML),
        (429, b"slow down"),
        (500, complaint(170131)),
        (502, b""),
        (503, as_body(ACKNOWLEDGED)),
        (504, HTML),
    ],
)
def test_anything_else_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(place(status, body), Unknown)


def test_limits_are_not_run_and_say_how_long_to_wait() -> None:
    own = place(200, complaint(10006, "Too many visits!"), code_pause=0.7)
    assert isinstance(own, Refused)
    assert (own.reached_matching, own.retry_after_seconds) == (False, 0.7)
    loaded = place(429, complaint(429, "high load"))
    assert isinstance(loaded, Refused)
    assert (loaded.reached_matching, loaded.retry_after_seconds) == (False, 5.0)
    closed = place(403, TOO_FREQUENT)
    assert isinstance(closed, Refused)
    assert (closed.reached_matching, closed.retry_after_seconds) == (False, 600.0)


# -- canceling -------------------------------------------------------------------------------------------------


def test_a_cancel_is_accepted_with_an_orders_id_or_with_the_word_of_success() -> None:
    assert classify_cancel(200, as_body(ACKNOWLEDGED)) == CancelAccepted()
    assert classify_cancel(200, as_body(CANCELED_ALL)) == CancelAccepted()
    nothing_open = CANCELED_ALL | {"result": {"list": [], "success": "1"}}
    assert classify_cancel(200, as_body(nothing_open)) == CancelAccepted()


@pytest.mark.parametrize("success", ["0", "", None, 1, True, "true"])
def test_a_cancel_of_all_without_the_word_of_success_is_unknown(success) -> None:
    body = as_body(CANCELED_ALL | {"result": CANCELED_ALL["result"] | {"success": success}})
    assert isinstance(classify_cancel(200, body), Unknown)


@pytest.mark.parametrize("code", [170213, 170139, 170142, 170143, 170190, 170191, 10003])
def test_a_listed_code_refuses_a_cancel(code: int) -> None:
    refused = classify_cancel(200, complaint(code))
    assert isinstance(refused, CancelRefused)
    assert refused.venue_code == str(code)


@pytest.mark.parametrize("code", [170147, 170150, 170212, 10016, 123456])
def test_a_cancel_that_may_have_got_through_is_unknown(code: int) -> None:
    assert isinstance(classify_cancel(200, complaint(code)), Unknown)


# -- reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, complaint(10006), VenueThrottled),
        (200, complaint(10429), VenueThrottled),
        (429, b"", VenueThrottled),
        (403, TOO_FREQUENT, VenueThrottled),
        (403, HTML, VenueRefused),
        (404, b"", VenueRefused),
        (200, complaint(10005), VenueRefused),
        (200, complaint(987654), VenueRefused),
        (200, complaint(10016), VenueUnavailable),
        (500, b"", VenueUnavailable),
        (200, b"{}", MalformedAnswer),
        (200, HTML, MalformedAnswer),
    ],
)
def test_errors_of_reads(status: int, body: bytes, kind: type) -> None:
    assert type(find_read_error(status, body)) is kind


def test_only_what_closes_an_address_closes_the_venue_for_everybody() -> None:
    assert pause_after(403, TOO_FREQUENT) == 600
    assert pause_after(429, b"") == pause_after(200, complaint(10429)) == 5
    assert pause_after(403, HTML) == pause_after(200, complaint(10006)) == pause_after(500, b"") == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("1700000002500", 2.5), ("1700000000100", 1.0), ("1800000000000", 60.0), ("", 1.0), ("soon", 1.0)],
)
def test_the_accounts_own_limit_lasts_until_its_header_says_within_reason(header, seconds) -> None:
    headers = {"x-bapi-limit-reset-timestamp": header}
    assert seconds_until_reset(headers, 1_700_000_000_000) == seconds
    assert seconds_until_reset(headers, None) == 1.0


# -- whatever is done to an answer -----------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3000, 200_000)
    | st.sampled_from(sorted(CODES))
    | st.text(max_size=12)
    | st.sampled_from([CLIENT_ID, "1", "0", "duplicate"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["orderId", "orderLinkId", "list", "success", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
names = st.sampled_from(["retCode", "retMsg", "result", "retExtInfo", "time", "x"])
bases = st.sampled_from([{}, ACKNOWLEDGED, CANCELED_ALL, {"retCode": 0, "result": {"list": [ORDER]}}])


@st.composite
def bodies(draw) -> bytes:
    kind = draw(st.sampled_from(["object", "object", "json", "cut", "bytes"]))
    if kind == "bytes":
        return draw(st.binary(max_size=64) | st.just(TOO_FREQUENT))
    if kind == "json":
        return json.dumps(draw(values)).encode()
    body = json.dumps(draw(bases) | draw(st.dictionaries(names, values, max_size=3))).encode()
    return body if kind == "object" else body[: draw(st.integers(0, len(body)))]


statuses = st.sampled_from(
    [200, 200, 201, 302, 400, 401, 403, 404, 408, 418, 429, 500, 502, 503, 504]
) | st.integers(100, 599)


def _object_of(body: bytes) -> dict:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@settings(max_examples=400, deadline=None)
@given(statuses, bodies())
def test_no_placement_answer_is_definite_without_evidence(status: int, body: bytes) -> None:
    outcome, row = place(status, body), _object_of(body)
    if isinstance(outcome, Placed):
        assert status == 200
        assert row["retCode"] == 0
        assert row["result"]["orderLinkId"] == CLIENT_ID
        assert row["result"]["orderId"] == outcome.exchange_order_id
    elif isinstance(outcome, Refused) and outcome.venue_code == "403":
        assert status == 403
        assert TOO_FREQUENT[5:] in body
    elif isinstance(outcome, Refused):
        assert status in CODED_STATUSES
        assert CODES[row["retCode"]].does in (Does.REJECT, Does.NOT_RUN)
        assert not (isinstance(row.get("result"), dict) and row["result"].get("orderId"))
        assert "duplicat" not in str(row.get("retMsg", "")).lower()
    else:
        assert isinstance(outcome, Unknown)


@settings(max_examples=400, deadline=None)
@given(statuses, bodies())
def test_no_cancel_answer_is_definite_without_evidence(status: int, body: bytes) -> None:
    outcome, row = classify_cancel(status, body), _object_of(body)
    if isinstance(outcome, CancelAccepted):
        assert status == 200
        assert row["retCode"] == 0
        result = row["result"]
        assert (
            result.get("success") == "1"
            if "list" in result
            else result.get("orderId") or result.get("orderLinkId")
        )
    elif isinstance(outcome, CancelRefused) and outcome.venue_code != "403":
        assert status in CODED_STATUSES
        assert CODES[row["retCode"]].does is not Does.DOUBT
    if find_read_error(status, body) is None:
        assert status == 200
        assert row["retCode"] == 0
    find_code(body)
