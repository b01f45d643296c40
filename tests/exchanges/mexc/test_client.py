"""Queries, clock, account and public reads through the adapter against the simulated venue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.exchanges.making import make_exchange
from tests.exchanges.mexc.asking import SYMBOL, find, place
from trading.domain.errors import MalformedAnswer, VenueRefused, VenueUnavailable
from trading.domain.outcomes import (
    OrderNotFound,
    Placed,
    QueryFailed,
    Refused,
)
from trading.exchanges.clock import boot_seconds


def test_not_found_is_not_the_same_as_not_answered(exchange, venue) -> None:
    assert exchange.query_order(SYMBOL, client_order_id="nobody") == OrderNotFound("-2013")
    for fault in ({"kind": "http_status", "status": 404}, {"kind": "drop_after"}, {"kind": "malformed"}):
        venue.faults([{"match": {"method": "GET", "path": "/api/v3/order"}} | fault])
        assert isinstance(exchange.query_order(SYMBOL, client_order_id="nobody"), QueryFailed)


def test_reads_are_tried_again_and_freshly_stamped(exchange, venue, observer) -> None:
    venue.faults([{"match": {"path": "/api/v3/account"}, "kind": "drop_after", "count": 1}])
    assert exchange.fetch_balances()
    requests = venue.requests(path="/api/v3/account")
    assert len(requests) == 2
    assert observer.outcomes("account") == ["unavailable", "ok"]
    stamps = [int(row["params"]["timestamp"]) for row in requests]
    assert stamps == sorted(stamps)


def test_reads_give_up_after_their_retries(exchange, venue) -> None:
    venue.faults([{"match": {"path": "/api/v3/account"}, "kind": "http_status", "status": 503}])
    with pytest.raises(VenueUnavailable):
        exchange.fetch_balances()
    assert len(venue.requests(path="/api/v3/account")) == 2


def test_a_definite_refusal_of_a_read_is_not_repeated(exchange, venue) -> None:
    rule = {"kind": "error_code", "status": 403, "code": 700006, "msg": "IP not allowed"}
    venue.faults([{"match": {"path": "/api/v3/account"}} | rule])
    with pytest.raises(VenueRefused) as caught:
        exchange.fetch_balances()
    assert caught.value.venue_code == "700006"
    assert len(venue.requests(path="/api/v3/account")) == 1


# -- clock -----------------------------------------------------------------------------------------------------


def test_a_read_measures_the_clock_again_when_the_venue_dislikes_its_stamp(exchange, venue) -> None:
    exchange.sync_clock()
    venue.faults([{"match": {}, "kind": "clock_skew", "ms": 60_000}])
    assert exchange.fetch_balances()
    assert len(venue.requests(path="/api/v3/account")) == 2
    assert exchange.sync_clock() == pytest.approx(60_000, abs=2_000)


def test_the_venues_time_is_measured_once_and_then_known(exchange, venue) -> None:
    assert exchange.clock_age_seconds() is None
    exchange.venue_time_ms()
    exchange.venue_time_ms()
    assert len(venue.requests(path="/api/v3/time")) == 3
    assert exchange.clock_age_seconds() is not None
    assert 0 <= exchange.clock_uncertainty_seconds() < 5


def test_warming_up_measures_the_clock_and_pings_only_a_cold_line(exchange, venue) -> None:
    exchange.warm_up()
    exchange.warm_up()
    assert len(venue.requests(path="/api/v3/time")) == 3
    assert venue.requests(path="/api/v3/ping") == [], "the line was warm by then"
    exchange._line.http._used_at = None
    exchange.warm_up()
    assert len(venue.requests(path="/api/v3/ping")) == 1
    outcome, _ = place(exchange, deadline=boot_seconds() + 5)
    assert isinstance(outcome, Placed)
    assert {row["connection"] for row in venue.requests()} == {venue.requests()[0]["connection"]}


# -- account ---------------------------------------------------------------------------------------------------


def test_balances_show_what_is_locked(exchange) -> None:
    place(exchange)
    found = {row.asset: row for row in exchange.fetch_balances()}
    assert 49 <= found["USDT"].locked < 50  # the venue may lock the fee as well
    assert found["USDT"].free + found["USDT"].locked == 100_000


def test_fills_come_once_oldest_first_even_if_the_venue_repeats_and_reverses_them(exchange, venue) -> None:
    requests = [place(exchange)[1] for _ in range(3)]
    for request in requests:
        venue.fill(request.client_order_id)
    path = {"match": {"path": "/api/v3/myTrades"}}
    venue.faults([path | {"kind": "duplicate_fill"}, path | {"kind": "out_of_order"}])
    fills = exchange.fetch_fills(SYMBOL)
    assert sorted(fill.client_order_id for fill in fills) == sorted(r.client_order_id for r in requests)
    assert [fill.filled_at for fill in fills] == sorted(fill.filled_at for fill in fills)
    assert len(venue.requests(path="/api/v3/myTrades")) == 1

    one = exchange.fetch_fills(SYMBOL, exchange_order_id=fills[1].exchange_order_id)
    assert one == [fills[1]]
    assert exchange.fetch_fills(SYMBOL, since=datetime.now(UTC) + timedelta(minutes=1)) == []
    assert exchange.fetch_fills("ETHUSDT") == []


def test_more_fills_than_a_page_are_all_found(exchange, venue) -> None:
    _, request = place(exchange, quantity=Decimal("0.15"))
    for _ in range(130):
        venue.fill(request.client_order_id, "0.001")
    fills = exchange.fetch_fills(SYMBOL)
    assert len({fill.venue_fill_id for fill in fills}) == len(fills) == 130
    assert sum(fill.quantity for fill in fills) == find(exchange, request).filled_quantity


def test_an_open_order_list_with_a_hole_is_an_error(exchange, venue) -> None:
    place(exchange)
    body = '[{"symbol":"BTCUSDT","orderId":"1","status":"SOMETHING_NEW","type":"LIMIT","side":"BUY"}]'
    venue.faults([{"match": {"path": "/api/v3/openOrders"}, "kind": "malformed", "body": body}])
    with pytest.raises(MalformedAnswer, match="status"):
        exchange.fetch_open_orders()


def test_the_rights_of_the_key(exchange, venue) -> None:
    rights = exchange.fetch_key_rights()
    assert rights.can_trade
    assert rights.can_read
    assert rights.dangerous == ()
    assert all("accessKey" not in row["params"] for row in venue.requests())


def test_a_wrong_secret_is_a_definite_refusal(venue) -> None:
    stranger = make_exchange(venue.base_url, key=venue.key, secret="wrong")
    with pytest.raises(VenueRefused) as caught:
        stranger.fetch_balances()
    assert caught.value.venue_code in ("602", "700002")
    refused, _ = place(stranger)
    assert isinstance(refused, Refused)
    assert not refused.reached_matching


# -- public ----------------------------------------------------------------------------------------------------


def test_instruments_of_the_whole_venue_and_of_one_symbol(exchange) -> None:
    everything = exchange.fetch_instruments()
    assert len(everything) > 5
    assert len({found.venue_symbol for found in everything}) == len(everything)
    (one,) = exchange.fetch_instruments([SYMBOL])
    assert one in everything
    assert one.symbol == "BTC/USDT"
    assert len(exchange.fetch_instruments([SYMBOL, "ETHUSDT"])) == 2


def test_a_symbol_barred_for_the_key_is_not_tradable(venue) -> None:
    venue.add_user("narrow", "narrow-key", "narrow-secret", symbols=["ETHUSDT"])
    narrow = make_exchange(venue.base_url, key="narrow-key", secret="narrow-secret")
    found = {row.venue_symbol: row.is_tradable for row in narrow.fetch_instruments([SYMBOL, "ETHUSDT"])}
    assert found == {SYMBOL: False, "ETHUSDT": True}


def test_prices_of_one_and_of_many_symbols_take_two_requests(exchange, venue) -> None:
    (one,) = exchange.fetch_prices([SYMBOL])
    assert one.last == 50000
    assert one.bid < one.last < one.ask
    many = exchange.fetch_prices([SYMBOL, "ETHUSDT", "NOPEUSDT"])
    assert [row.symbol for row in many] == [SYMBOL, "ETHUSDT"]
    assert len(venue.requests()) == 4
    assert exchange.fetch_prices([]) == []
