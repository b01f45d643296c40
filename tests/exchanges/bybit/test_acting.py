"""Placing and canceling against a server that misbehaves: at most one request, and every ending is an outcome."""

from __future__ import annotations

import json

import pytest

from tests.exchanges.bybit.samples import ACKNOWLEDGED, CANCELED_ALL, as_body, complaint, listed
from tests.exchanges.making import KEY, SECRET, CountingObserver, make_exchange, make_place_request
from tests.exchanges.raw_server import answers, closes_after_reading, raw_server, refused_port, sends, stalls
from trading.domain.enums import VenueName
from trading.domain.errors import VenueThrottled, VenueUnavailable
from trading.domain.outcomes import CancelAccepted, NotSentOutcome, Placed, QueryFailed, Refused, Unknown
from trading.exchanges.base import Exchange
from trading.exchanges.clock import boot_seconds

CLIENT_ID = "lvtest0000000000000000000000001"
PLACED = as_body(ACKNOWLEDGED | {"result": {"orderId": "13210037", "orderLinkId": CLIENT_ID}})


def connect(base_url: str, **more) -> Exchange:
    return make_exchange(base_url, venue=VenueName.BYBIT, **more)


def place(exchange: Exchange, **changes):
    return exchange.place_order(make_place_request(**changes))


def test_an_order_goes_out_once_with_the_permits_stamp_signed_and_its_record_hides_the_key() -> None:
    observer = CountingObserver()
    with raw_server(answers("200 OK", PLACED, "X-Bapi-Limit-Status: 17")) as server:
        outcome = place(connect(server.base_url, observer=observer), venue_time_ms=1_700_000_000_123)
    assert outcome == Placed("13210037", exchanged=outcome.exchanged)
    head, _, body = server.received.decode().partition("\r\n\r\n")
    assert head.startswith("POST /v5/order/create HTTP/1.1\r\n")
    assert "X-BAPI-TIMESTAMP: 1700000000123\r\nX-BAPI-RECV-WINDOW: 2000\r\n" in head
    sent = json.loads(body)
    assert (sent["category"], sent["isLeverage"], sent["orderLinkId"]) == ("spot", 0, CLIENT_ID)
    assert server.connections == 1, "the clock was not asked"
    assert outcome.exchanged.path.startswith('/v5/order/create {"category":"spot",')
    assert KEY not in repr(outcome)
    assert SECRET not in repr(outcome)
    assert observer.outcomes("placeOrder") == ["ok"]
    assert observer.tokens["orders_at_venue"] == 17
    assert {"requests", "orders", "pace"} <= set(observer.tokens)


@pytest.mark.parametrize(
    "behaviour",
    [
        closes_after_reading,
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + PLACED),
        answers("200 OK", "<html>busy</html>"),
        answers("200 OK", ""),
        answers("200 OK", PLACED.replace(CLIENT_ID.encode(), b"another")),
        answers("200 OK", complaint(170141, "Duplicate clientOrderId")),
        answers("200 OK", complaint(170146, "Order creation timeout")),
        answers("200 OK", complaint(777777, "new")),
        answers("302 Found", "", "Location: http://127.0.0.1/"),
        answers("403 Forbidden", "<html>firewall</html>"),
        answers("500 Internal Server Error", complaint(170131)),
        answers("504 Gateway Timeout", ""),
    ],
)
def test_what_is_not_definite_is_unknown_and_sent_once(behaviour) -> None:
    with raw_server(behaviour) as server:
        outcome = place(connect(server.base_url))
        assert isinstance(outcome, Unknown)
        assert outcome.exchanged.sent_at is not None
        assert server.received.count(b"POST ") == 1


def test_silence_is_unknown() -> None:
    with raw_server(stalls) as server:
        assert isinstance(place(connect(server.base_url, timeout_seconds=0.2)), Unknown)


def test_what_never_left_is_not_sent() -> None:
    assert isinstance(place(connect(f"http://127.0.0.1:{refused_port()}")), NotSentOutcome)
    with raw_server(answers("200 OK", PLACED)) as server:
        for exchange, changes in (
            (connect(server.base_url), {"deadline": boot_seconds() - 0.001}),
            (connect(server.base_url, stop_requested=lambda: True), {}),
            (connect(server.base_url), {"client_order_id": "a b"}),
        ):
            assert isinstance(place(exchange, **changes), NotSentOutcome)
        assert isinstance(connect(server.base_url).test_order(make_place_request()), NotSentOutcome)
        assert server.connections == 0


def test_a_halt_never_stops_a_cancel() -> None:
    with raw_server(answers("200 OK", as_body(CANCELED_ALL))) as server:
        exchange = connect(server.base_url, stop_requested=lambda: True)
        assert isinstance(exchange.cancel_all("BTCUSDT"), CancelAccepted)
        assert isinstance(exchange.cancel_all(), CancelAccepted)
        assert server.received.count(b"POST /v5/order/cancel-all") == 2


def test_an_accounts_own_limit_refuses_one_order_and_stops_nobody() -> None:
    with raw_server(answers("200 OK", complaint(10006, "Too many visits!"))) as server:
        exchange = connect(server.base_url)
        outcome = place(exchange)
        assert isinstance(outcome, Refused)
        assert (outcome.reached_matching, outcome.retry_after_seconds) == (False, 1.0)
        assert exchange.acquire_place_slot(0)
        place(exchange)
        assert server.received.count(b"POST ") == 2


@pytest.mark.parametrize(
    ("status", "body"), [("403 Forbidden", "access too frequent"), ("429 Too Many Requests", "slow down")]
)
def test_what_closes_the_address_stops_all_that_follows(status: str, body: str) -> None:
    with raw_server(answers(status, body)) as server:
        exchange = connect(server.base_url, timeout_seconds=1.0)
        place(exchange)
        assert not exchange.acquire_place_slot(0)
        assert isinstance(place(exchange), NotSentOutcome)
        with pytest.raises(VenueThrottled):
            exchange.fetch_prices(["BTCUSDT"])
        assert server.received.count(b" HTTP/1.1\r\n") == 1


def test_a_question_that_failed_in_one_list_never_means_not_found() -> None:
    """An empty first list and no readable second one."""
    time = answers("200 OK", as_body(listed() | {"result": {"list": [], "timeNano": "1688639403423213947"}}))
    with raw_server(time) as server:
        exchange = connect(server.base_url)
        exchange.sync_clock()
        server._behaviour = closes_after_reading
        exchange.close()
        assert isinstance(exchange.query_order("BTCUSDT", client_order_id="x"), QueryFailed)
        with pytest.raises(VenueUnavailable):
            exchange.fetch_open_orders()
