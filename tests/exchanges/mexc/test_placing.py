"""Orders, cancels and their faults through the adapter against the simulated venue."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.exchanges.making import make_place_request
from tests.exchanges.mexc.asking import SYMBOL, find, place
from trading.domain.enums import OrderType, Side, TimeInForce, VenueOrderStatus
from trading.domain.errors import VenueThrottled
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


def test_a_limit_order_rests_is_found_by_both_ids_and_is_canceled(exchange, venue) -> None:
    placed, request = place(exchange)
    assert isinstance(placed, Placed)
    assert [row["client_order_id"] for row in venue.orders()] == [request.client_order_id]
    report = find(exchange, request)
    assert report.status is VenueOrderStatus.OPEN
    assert (report.price, report.quantity) == (Decimal(49000), Decimal("0.001"))
    by_id = exchange.query_order(SYMBOL, exchange_order_id=placed.exchange_order_id)
    assert isinstance(by_id, OrderFound)
    assert exchange.fetch_open_orders() == exchange.fetch_open_orders(SYMBOL) == [report]

    assert isinstance(exchange.cancel_order(SYMBOL, client_order_id=request.client_order_id), CancelAccepted)
    assert find(exchange, request).status is VenueOrderStatus.CANCELED
    again = exchange.cancel_order(SYMBOL, exchange_order_id=placed.exchange_order_id)
    assert isinstance(again, CancelRefused)
    assert again.venue_code == "-2011"
    assert exchange.fetch_open_orders(urgent=True) == []


def test_market_orders_by_quote_and_by_quantity(exchange) -> None:
    market = {"order_type": OrderType.MARKET, "price": None}
    bought, buy = place(exchange, **market, quantity=None, quote_quantity=Decimal(100))
    assert isinstance(bought, Placed)
    report = find(exchange, buy)
    assert report.status is VenueOrderStatus.FILLED
    assert report.price is None
    assert 99 < report.filled_notional <= 100
    sold, sell = place(exchange, **market, side=Side.SELL, quantity=Decimal("0.001"))
    assert isinstance(sold, Placed)
    assert find(exchange, sell).filled_quantity == Decimal("0.001")


def test_ioc_and_fok_away_from_the_market_end_canceled_and_post_only_rests(exchange) -> None:
    for time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        _, request = place(exchange, time_in_force=time_in_force)
        assert find(exchange, request).status is VenueOrderStatus.CANCELED
    placed, request = place(exchange, order_type=OrderType.LIMIT_MAKER)
    assert isinstance(placed, Placed)
    report = find(exchange, request)
    assert (report.order_type, report.status) == (OrderType.LIMIT_MAKER, VenueOrderStatus.OPEN)


def test_a_partly_filled_order_ends_canceled_with_its_fills(exchange, venue) -> None:
    _, request = place(exchange)
    venue.fill(request.client_order_id, "0.0004")
    assert find(exchange, request).status is VenueOrderStatus.PARTIALLY_FILLED
    exchange.cancel_order(SYMBOL, client_order_id=request.client_order_id)
    report = find(exchange, request)
    assert report.status is VenueOrderStatus.CANCELED
    assert report.filled_quantity == Decimal("0.0004")


def test_cancel_all_of_a_symbol_and_of_the_account(exchange, venue) -> None:
    for _ in range(2):
        place(exchange)
    place(exchange, venue_symbol="ETHUSDT", quantity=Decimal("0.1"), price=Decimal(1000))
    assert isinstance(exchange.cancel_all(SYMBOL), CancelAccepted)
    assert [order.symbol for order in exchange.fetch_open_orders()] == ["ETHUSDT"]
    assert isinstance(exchange.cancel_all(), CancelAccepted)
    assert exchange.fetch_open_orders() == []


def test_a_test_order_validates_and_places_nothing(exchange, venue) -> None:
    good = make_place_request(venue_time_ms=exchange.venue_time_ms())
    assert isinstance(exchange.test_order(good), Placed)
    bad = make_place_request(venue_time_ms=exchange.venue_time_ms(), quantity=Decimal("0.00000001"))
    assert isinstance(exchange.test_order(bad), Refused)
    assert venue.orders() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": Decimal("0.0000001")}, "400"),
        ({"quantity": Decimal("0.00001"), "price": Decimal(100)}, "30002"),
        ({"side": Side.SELL, "quantity": Decimal(1), "price": Decimal(60000)}, "30005"),
        ({"quantity": Decimal(30)}, "30004"),
        ({"venue_symbol": "NOPEUSDT"}, "-1121"),
    ],
)
def test_a_refusal_is_definite_with_the_venues_code(exchange, venue, changes, code) -> None:
    refused, _ = place(exchange, **changes)
    assert isinstance(refused, Refused), refused
    assert refused.venue_code == code
    assert refused.reached_matching
    assert venue.orders() == []


def test_a_late_arrival_is_refused_by_the_venue_itself(exchange, venue) -> None:
    refused, _ = place(exchange, venue_time_ms=exchange.venue_time_ms() - 2500, window_ms=2000)
    assert isinstance(refused, Refused)
    assert refused.venue_code == "700003"
    assert not refused.reached_matching
    assert venue.orders() == []


# -- faults on orders ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "exists"),
    [
        ({"kind": "drop_after"}, True),
        ({"kind": "drop_before"}, False),
        ({"kind": "http_status", "status": 503, "processed": True}, True),
        ({"kind": "http_status", "status": 403, "body": "<html>firewall</html>"}, False),
        ({"kind": "http_status", "status": 502, "body": ""}, False),
        ({"kind": "error_code", "status": 400, "code": 730000, "msg": "internal", "processed": True}, True),
        ({"kind": "malformed", "variant": "html"}, True),
        ({"kind": "malformed", "variant": "truncated"}, True),
        ({"kind": "malformed", "variant": "wrong_types"}, True),
        ({"kind": "malformed", "variant": "nan"}, True),
        ({"kind": "malformed", "variant": "partial"}, True),
        ({"kind": "malformed", "variant": "huge"}, True),
    ],
)
def test_a_lost_or_spoiled_answer_is_unknown_and_the_query_tells_the_truth(
    exchange, venue, fault, exists
) -> None:
    venue.faults([{"match": {"method": "POST", "path": "/api/v3/order"}, "count": 1} | fault])
    outcome, request = place(exchange)
    assert isinstance(outcome, Unknown), outcome
    assert len(venue.requests(method="POST", path="/api/v3/order")) == 1
    asked = exchange.query_order(SYMBOL, client_order_id=request.client_order_id)
    assert isinstance(asked, OrderFound if exists else OrderNotFound)
    assert len(venue.orders()) == exists


def test_a_throttled_order_was_not_executed(exchange, venue) -> None:
    venue.faults([{"match": {"path": "/api/v3/order"}, "kind": "rate_limit", "retry_after": 60, "count": 1}])
    outcome, _ = place(exchange)
    assert isinstance(outcome, Refused)
    assert not outcome.reached_matching
    assert outcome.retry_after_seconds == 60
    assert not exchange.acquire_place_slot(1)
    assert venue.orders() == []


def test_a_ban_stops_all_traffic(exchange, venue) -> None:
    exchange.sync_clock()
    venue.faults([{"match": {"path": "/api/v3/order"}, "kind": "ban", "retry_after": 120, "count": 1}])
    outcome, _ = place(exchange)
    assert isinstance(outcome, Refused)
    count = len(venue.requests())
    with pytest.raises(VenueThrottled):
        exchange.fetch_balances()
    assert isinstance(exchange.query_order(SYMBOL, client_order_id="x"), QueryFailed)
    exchange.cancel_all()
    assert len(venue.requests()) == count, "not one request before Retry-After"
