"""Orders, cancels, reads and their faults through the adapter against the simulated Binance."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.exchanges.making import make_exchange, make_place_request
from tests.exchanges.mexc.asking import SYMBOL, find, place
from trading.domain.enums import OrderType, Side, TimeInForce, VenueName, VenueOrderStatus
from trading.domain.errors import MalformedAnswer, VenueRefused, VenueThrottled
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

MARKET = {"order_type": OrderType.MARKET, "price": None}


def test_a_limit_order_rests_is_found_by_both_ids_and_is_canceled(exchange, venue) -> None:
    placed, request = place(exchange)
    assert isinstance(placed, Placed) and placed.report is not None
    assert placed.report.status is VenueOrderStatus.OPEN
    (row,) = venue.orders()
    assert placed.exchange_order_id == f"{SYMBOL}:{row['order_id']}"
    report = find(exchange, request)
    assert (report.price, report.quantity) == (Decimal(49000), Decimal("0.001"))
    by_id = exchange.query_order(SYMBOL, exchange_order_id=placed.exchange_order_id)
    assert by_id == OrderFound(report)
    assert exchange.fetch_open_orders() == exchange.fetch_open_orders(SYMBOL) == [report]

    assert isinstance(exchange.cancel_order(SYMBOL, client_order_id=request.client_order_id), CancelAccepted)
    assert find(exchange, request).status is VenueOrderStatus.CANCELED, "by its own name, not the cancel's"
    again = exchange.cancel_order(SYMBOL, exchange_order_id=placed.exchange_order_id)
    assert isinstance(again, CancelRefused) and again.venue_code == "-2011"
    assert exchange.fetch_open_orders(urgent=True) == []


def test_market_orders_by_quote_and_by_quantity(exchange) -> None:
    bought, buy = place(exchange, **MARKET, quantity=None, quote_quantity=Decimal(100))
    assert isinstance(bought, Placed), bought
    report = find(exchange, buy)
    assert (report.status, report.price) == (VenueOrderStatus.FILLED, None)
    assert 99 < report.filled_notional <= 100
    _, sell = place(exchange, **MARKET, side=Side.SELL, quantity=Decimal("0.001"))
    assert find(exchange, sell).filled_quantity == Decimal("0.001")


def test_ioc_and_fok_away_from_the_market_expire_and_a_maker_rests_or_is_refused(exchange) -> None:
    for time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        placed, request = place(exchange, time_in_force=time_in_force)
        assert isinstance(placed, Placed) and find(exchange, request).status is VenueOrderStatus.EXPIRED
    _, request = place(exchange, order_type=OrderType.LIMIT_MAKER)
    report = find(exchange, request)
    assert (report.order_type, report.status) == (OrderType.LIMIT_MAKER, VenueOrderStatus.OPEN)
    taker, _ = place(exchange, order_type=OrderType.LIMIT_MAKER, price=Decimal(51000))
    assert isinstance(taker, Refused) and (taker.venue_code, taker.reached_matching) == ("-2010", True)


def test_a_partly_filled_order_ends_canceled_with_its_fills(exchange, venue) -> None:
    placed, request = place(exchange)
    venue.fill(request.client_order_id, "0.0004")
    assert find(exchange, request).status is VenueOrderStatus.PARTIALLY_FILLED
    exchange.cancel_order(SYMBOL, client_order_id=request.client_order_id)
    report = find(exchange, request)
    assert (report.status, report.filled_quantity) == (VenueOrderStatus.CANCELED, Decimal("0.0004"))
    (fill,) = exchange.fetch_fills(SYMBOL)
    assert fill.exchange_order_id == placed.exchange_order_id and fill.quantity == Decimal("0.0004")
    assert exchange.fetch_fills(SYMBOL, exchange_order_id=placed.exchange_order_id) == [fill]
    assert exchange.fetch_fills(SYMBOL, since=datetime.now(UTC) + timedelta(minutes=1)) == []
    assert exchange.fetch_fills("ETHUSDT") == []


def test_cancel_all_of_a_symbol_and_of_the_account(exchange, venue) -> None:
    for _ in range(2):
        place(exchange)
    place(exchange, venue_symbol="ETHUSDT", quantity=Decimal("0.1"), price=Decimal(1000))
    assert isinstance(exchange.cancel_all(SYMBOL), CancelAccepted)
    assert [order.symbol for order in exchange.fetch_open_orders()] == ["ETHUSDT"]
    for _ in range(2):
        assert isinstance(exchange.cancel_all(), CancelAccepted)
        assert exchange.fetch_open_orders() == []
    assert isinstance(exchange.cancel_all(SYMBOL), CancelAccepted)


def test_a_test_order_validates_and_places_nothing(exchange, venue) -> None:
    good = make_place_request(venue_time_ms=exchange.venue_time_ms())
    assert isinstance(exchange.test_order(good), Placed)
    bad = make_place_request(venue_time_ms=exchange.venue_time_ms(), quantity=Decimal("0.00000001"))
    assert isinstance(exchange.test_order(bad), Refused)
    assert venue.orders() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": Decimal("0.0000001")}, "-1013"),
        ({"quantity": Decimal("0.00001"), "price": Decimal(100)}, "-1013"),
        ({"side": Side.SELL, "quantity": Decimal(1), "price": Decimal(60000)}, "-2010"),
        ({"quantity": Decimal(30)}, "-2010"),
        ({"venue_symbol": "NOPEUSDT"}, "-1121"),
    ],
)
def test_a_refusal_is_definite_with_the_venues_code(exchange, venue, changes, code) -> None:
    refused, _ = place(exchange, **changes)
    assert isinstance(refused, Refused), refused
    assert (refused.venue_code, refused.reached_matching) == (code, True)
    assert venue.orders() == []


def test_a_late_arrival_is_refused_by_the_venue_itself(exchange, venue) -> None:
    refused, _ = place(exchange, venue_time_ms=exchange.venue_time_ms() - 2500, window_ms=2000)
    assert isinstance(refused, Refused)
    assert (refused.venue_code, refused.reached_matching) == ("-1021", False)
    assert venue.orders() == []


def test_a_second_order_of_an_open_ones_name_is_doubt_and_not_a_refusal(exchange, venue) -> None:
    _, request = place(exchange)
    again, _ = place(exchange, client_order_id=request.client_order_id)
    assert isinstance(again, Unknown) and "Duplicate" in again.reason
    assert len(venue.orders()) == 1


# -- faults ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "exists"),
    [
        ({"kind": "drop_after"}, True),
        ({"kind": "drop_before"}, False),
        ({"kind": "http_status", "status": 503, "processed": True}, True),
        ({"kind": "http_status", "status": 403, "body": "<html>firewall</html>"}, False),
        ({"kind": "error_code", "status": 504, "code": -1007, "msg": "Timeout", "processed": True}, True),
        ({"kind": "error_code", "status": 400, "code": -1001, "msg": "internal", "processed": True}, True),
        ({"kind": "malformed", "variant": "html"}, True),
        ({"kind": "malformed", "variant": "truncated"}, True),
        ({"kind": "malformed", "variant": "wrong_types"}, True),
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


def test_a_ban_stops_all_traffic(exchange, venue) -> None:
    exchange.sync_clock()
    venue.faults([{"match": {"path": "/api/v3/order"}, "kind": "ban", "retry_after": 120, "count": 1}])
    outcome, _ = place(exchange)
    assert isinstance(outcome, Refused) and not outcome.reached_matching
    count = len(venue.requests())
    with pytest.raises(VenueThrottled):
        exchange.fetch_balances()
    assert isinstance(exchange.query_order(SYMBOL, client_order_id="x"), QueryFailed)
    exchange.cancel_all()
    assert len(venue.requests()) == count, "not one request before Retry-After"


def test_an_open_order_list_with_a_hole_is_an_error(exchange, venue) -> None:
    place(exchange)
    body = '[{"symbol":"BTCUSDT","orderId":1,"status":"SOMETHING_NEW","type":"LIMIT","side":"BUY"}]'
    venue.faults([{"match": {"path": "/api/v3/openOrders"}, "kind": "malformed", "body": body}])
    with pytest.raises(MalformedAnswer, match="status"):
        exchange.fetch_open_orders()


def test_a_read_measures_the_clock_again_when_the_venue_dislikes_its_stamp(exchange, venue) -> None:
    exchange.sync_clock()
    venue.faults([{"match": {}, "kind": "clock_skew", "ms": 60_000}])
    assert exchange.fetch_balances()
    assert exchange.sync_clock() == pytest.approx(60_000, abs=2_000)


# -- account and market ----------------------------------------------------------------------------------------


def test_not_found_is_not_the_same_as_not_answered(exchange, venue) -> None:
    assert exchange.query_order(SYMBOL, client_order_id="nobody") == OrderNotFound("-2013")
    venue.faults([{"match": {"method": "GET", "path": "/api/v3/order"}, "kind": "drop_after"}])
    assert isinstance(exchange.query_order(SYMBOL, client_order_id="nobody"), QueryFailed)


def test_balances_show_what_is_locked_and_nothing_that_is_not_there(exchange, observer) -> None:
    place(exchange)
    found = {row.asset: row for row in exchange.fetch_balances()}
    assert 49 <= found["USDT"].locked < 50
    assert found["USDT"].free + found["USDT"].locked == 100_000
    assert all(row.free + row.locked > 0 for row in found.values())
    assert observer.tokens["venue_weight"] < 6000 * 1000


def test_the_rights_of_the_key(exchange, venue) -> None:
    rights = exchange.fetch_key_rights()
    assert rights.can_trade and rights.can_read and rights.dangerous == ()


def test_a_wrong_secret_is_a_definite_refusal(venue) -> None:
    stranger = make_exchange(venue.base_url, venue=VenueName.BINANCE, key=venue.key, secret="wrong")
    with pytest.raises(VenueRefused) as caught:
        stranger.fetch_balances()
    assert caught.value.venue_code == "-1022"
    refused, _ = place(stranger)
    assert isinstance(refused, Refused) and not refused.reached_matching
    stranger.close()


def test_deposits_and_withdrawals(exchange, venue) -> None:
    venue.deposit("USDT", "25")
    venue.withdraw("USDT", "10", fee="1")
    found = exchange.fetch_transfers(datetime.now(UTC) - timedelta(days=7))
    assert sorted(one.quantity for one in found) == [-10, 25]
    assert {one.asset for one in found} == {"USDT"}


def test_instruments_of_the_whole_venue_and_of_one_symbol(exchange) -> None:
    everything = exchange.fetch_instruments()
    assert len(everything) > 5 and len({found.venue_symbol for found in everything}) == len(everything)
    (one,) = exchange.fetch_instruments([SYMBOL])
    assert one in everything and one.symbol == "BTC/USDT" and one.is_tradable
    assert len(exchange.fetch_instruments([SYMBOL, "ETHUSDT", "NOPEUSDT"])) == 2
    assert exchange.fetch_instruments(["NOPEUSDT"]) == []


def test_prices_of_one_and_of_many_symbols(exchange) -> None:
    (one,) = exchange.fetch_prices([SYMBOL])
    assert one.last == 50000 and one.bid < one.last < one.ask
    many = exchange.fetch_prices([SYMBOL, "ETHUSDT", "NOPEUSDT"])
    assert [row.symbol for row in many] == [SYMBOL, "ETHUSDT"]


def test_a_week_of_hours_is_complete(exchange) -> None:
    until = datetime.now(UTC)
    since = until - timedelta(days=7)
    candles = exchange.fetch_candles(SYMBOL, interval_minutes=60, since=since, until=until)
    assert len(candles) in (167, 168)
    lengths = {after.open_at - before.open_at for before, after in itertools.pairwise(candles)}
    assert lengths == {timedelta(hours=1)}


def test_more_fills_than_a_page_are_all_found(exchange, venue) -> None:
    placed, request = place(exchange, quantity=Decimal("0.02"))
    for _ in range(1005):
        venue.fill(request.client_order_id, "0.00001")
    fills = exchange.fetch_fills(SYMBOL, since=datetime.now(UTC) - timedelta(days=2))
    assert len({fill.venue_fill_id for fill in fills}) == len(fills) == 1005
    assert exchange.fetch_fills(SYMBOL, exchange_order_id=placed.exchange_order_id) == fills
