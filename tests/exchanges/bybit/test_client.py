"""Orders, cancels, reads and their faults through the adapter against the simulated venue."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from tests.exchanges.making import CountingObserver, make_exchange
from tests.exchanges.mexc.asking import SYMBOL, find, place
from trading.domain.enums import OrderType, Side, TimeInForce, VenueName, VenueOrderStatus
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

CREATE, REALTIME, HISTORY = "/v5/order/create", "/v5/order/realtime", "/v5/order/history"
EXECUTIONS, WALLET = "/v5/execution/list", "/v5/account/wallet-balance"


# -- orders ----------------------------------------------------------------------------------------------------


def test_a_limit_order_rests_is_found_by_both_ids_and_is_canceled(exchange, venue) -> None:
    placed, request = place(exchange)
    assert isinstance(placed, Placed)
    assert placed.report is None
    assert [row["client_order_id"] for row in venue.orders()] == [request.client_order_id]
    report = find(exchange, request)
    assert (report.status, report.price, report.quantity) == (VenueOrderStatus.OPEN, 49000, D("0.001"))
    assert exchange.query_order(SYMBOL, exchange_order_id=placed.exchange_order_id) == OrderFound(report)
    assert exchange.fetch_open_orders() == exchange.fetch_open_orders(SYMBOL) == [report]

    assert isinstance(exchange.cancel_order(SYMBOL, client_order_id=request.client_order_id), CancelAccepted)
    ended = find(exchange, request)
    assert (ended.status, ended.filled_quantity) == (VenueOrderStatus.CANCELED, 0)
    assert "CancelByUser" in ended.reason
    again = exchange.cancel_order(SYMBOL, exchange_order_id=placed.exchange_order_id)
    assert isinstance(again, CancelRefused)
    assert again.venue_code == "170213"
    assert exchange.fetch_open_orders(urgent=True) == []


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        (
            {"order_type": OrderType.LIMIT_MAKER, "price": D(51000)},
            VenueOrderStatus.CANCELED,
            "EC_PostOnlyWillTakeLiquidity",
        ),
        ({"price": D(60000)}, VenueOrderStatus.REJECTED, "EC_ReachRiskPriceLimit"),
    ],
)
def test_what_is_acknowledged_may_be_refused_afterwards_and_is_told_with_its_reason(
    exchange, changes, status, reason
) -> None:
    placed, request = place(exchange, **changes)
    assert isinstance(placed, Placed)
    report = find(exchange, request)
    assert (report.status, report.filled_quantity) == (status, 0)
    assert reason in report.reason
    assert exchange.fetch_open_orders() == []


def test_market_orders_by_quote_and_by_quantity_in_both_directions(exchange) -> None:
    market = {"order_type": OrderType.MARKET, "price": None}
    _, buy = place(exchange, **market, quantity=None, quote_quantity=D(100))
    bought = find(exchange, buy)
    assert (bought.status, bought.price, bought.quantity) == (VenueOrderStatus.FILLED, None, 0)
    assert 99 < bought.filled_notional <= 100
    for side in (Side.BUY, Side.SELL):
        _, request = place(exchange, **market, side=side, quantity=D("0.001"))
        report = find(exchange, request)
        assert (report.quantity, report.filled_quantity) == (D("0.001"), D("0.001"))


def test_ioc_and_fok_away_from_the_market_end_canceled_and_post_only_rests(exchange) -> None:
    for time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
        _, request = place(exchange, time_in_force=time_in_force)
        assert find(exchange, request).status is VenueOrderStatus.CANCELED
    _, request = place(exchange, order_type=OrderType.LIMIT_MAKER)
    report = find(exchange, request)
    assert (report.order_type, report.status) == (OrderType.LIMIT_MAKER, VenueOrderStatus.OPEN)


def test_a_partly_filled_order_ends_canceled_with_its_fills(exchange, venue) -> None:
    _, request = place(exchange)
    venue.fill(request.client_order_id, "0.0004")
    assert find(exchange, request).status is VenueOrderStatus.PARTIALLY_FILLED
    exchange.cancel_order(SYMBOL, client_order_id=request.client_order_id)
    report = find(exchange, request)
    assert (report.status, report.filled_quantity) == (VenueOrderStatus.CANCELED, D("0.0004"))


def test_cancel_all_of_a_symbol_and_of_the_account(exchange) -> None:
    for _ in range(2):
        place(exchange)
    place(exchange, venue_symbol="ETHUSDT", quantity=D("0.1"), price=D(1000))
    assert isinstance(exchange.cancel_all(SYMBOL), CancelAccepted)
    assert [order.symbol for order in exchange.fetch_open_orders()] == ["ETHUSDT"]
    assert isinstance(exchange.cancel_all(), CancelAccepted)
    assert exchange.fetch_open_orders() == []


@pytest.mark.parametrize(
    ("changes", "code", "reached_matching"),
    [
        ({"quantity": D("0.0000001")}, "170137", True),
        ({"quantity": D("0.00001"), "price": D(100)}, "170140", True),
        ({"side": Side.SELL, "quantity": D(20), "price": D(50010)}, "170131", True),
        ({"quantity": D(30)}, "170131", True),
        ({"venue_symbol": "NOPEUSDT"}, "170121", True),
        ({"venue_time_ms": 1_700_000_000_000}, "10002", False),
    ],
)
def test_a_refusal_is_definite_with_the_venues_code(exchange, venue, changes, code, reached_matching) -> None:
    refused, _ = place(exchange, **changes)
    assert isinstance(refused, Refused), refused
    assert (refused.venue_code, refused.reached_matching) == (code, reached_matching)
    assert venue.orders() == []


def test_a_second_order_of_a_client_id_is_doubt_and_the_first_one_is_there(exchange, venue) -> None:
    _, request = place(exchange)
    outcome, _ = place(exchange, client_order_id=request.client_order_id)
    assert isinstance(outcome, Unknown)
    assert "170141" in outcome.reason
    assert len(venue.orders()) == 1


@pytest.mark.parametrize(
    ("fault", "exists"),
    [
        ({"kind": "drop_after"}, True),
        ({"kind": "drop_before"}, False),
        ({"kind": "http_status", "status": 503, "processed": True}, True),
        ({"kind": "http_status", "status": 403, "body": "<html>firewall</html>"}, False),
        (
            {"kind": "error_code", "status": 200, "code": 10016, "msg": "Server error.", "processed": True},
            True,
        ),
        ({"kind": "error_code", "status": 200, "code": 170146, "msg": "timeout", "processed": True}, True),
        ({"kind": "malformed", "variant": "html"}, True),
        ({"kind": "malformed", "variant": "truncated"}, True),
        ({"kind": "malformed", "variant": "wrong_types"}, True),
        ({"kind": "malformed", "variant": "partial"}, True),
    ],
)
def test_a_lost_or_spoiled_answer_is_unknown_and_the_query_tells_the_truth(
    exchange, venue, fault, exists
) -> None:
    venue.faults([{"match": {"method": "POST", "path": CREATE}, "count": 1} | fault])
    outcome, request = place(exchange)
    assert isinstance(outcome, Unknown), outcome
    assert len(venue.requests(method="POST", path=CREATE)) == 1
    asked = exchange.query_order(SYMBOL, client_order_id=request.client_order_id)
    assert isinstance(asked, OrderFound if exists else OrderNotFound)
    assert len(venue.orders()) == exists


def test_an_accounts_limit_refuses_one_order_and_a_ban_stops_all_traffic(exchange, venue) -> None:
    venue.faults([{"match": {"path": CREATE}, "kind": "rate_limit", "retry_after": 3, "count": 1}])
    outcome, _ = place(exchange)
    assert isinstance(outcome, Refused)
    assert (outcome.venue_code, outcome.reached_matching) == ("10006", False)
    assert 1 <= outcome.retry_after_seconds <= 5
    placed, _ = place(exchange)
    assert isinstance(placed, Placed)
    venue.faults([{"match": {"path": CREATE}, "kind": "ban", "retry_after": 120, "count": 1}])
    outcome, _ = place(exchange)
    assert isinstance(outcome, Refused)
    assert outcome.retry_after_seconds == 600
    count = len(venue.requests())
    with pytest.raises(VenueThrottled):
        exchange.fetch_balances()
    assert isinstance(exchange.query_order(SYMBOL, client_order_id="x"), QueryFailed)
    exchange.cancel_all()
    assert len(venue.requests()) == count, "not one request before the ban is over"


# -- questions -------------------------------------------------------------------------------------------------


def test_not_found_takes_both_lists_and_is_not_the_same_as_not_answered(exchange, venue) -> None:
    assert isinstance(exchange.query_order(SYMBOL, client_order_id="nobody"), OrderNotFound)
    assert [len(venue.requests(path=path)) for path in (REALTIME, HISTORY)] == [1, 1]
    for path in (REALTIME, HISTORY):
        for fault in ({"kind": "http_status", "status": 404}, {"kind": "drop_after"}, {"kind": "malformed"}):
            venue.faults([{"match": {"method": "GET", "path": path}} | fault])
            assert isinstance(exchange.query_order(SYMBOL, client_order_id="nobody"), QueryFailed)


def test_an_ended_order_that_the_present_list_forgot_is_found_in_the_history(exchange, venue) -> None:
    """As after the venue was restarted."""
    _, request = place(exchange)
    exchange.cancel_order(SYMBOL, client_order_id=request.client_order_id)
    empty = '{"retCode":0,"retMsg":"OK","result":{"list":[],"nextPageCursor":""},"retExtInfo":{},"time":1}'
    venue.faults([{"match": {"path": REALTIME}, "kind": "http_status", "status": 200, "body": empty}])
    assert find(exchange, request).status is VenueOrderStatus.CANCELED


def test_more_open_orders_than_a_page_are_all_listed(exchange, venue) -> None:
    for _ in range(55):
        place(exchange, quantity=D("0.0002"))
    assert len({order.exchange_order_id for order in exchange.fetch_open_orders()}) == 55
    assert len(venue.requests(path=REALTIME)) >= 2


def test_reads_are_tried_again_freshly_stamped_and_then_given_up(exchange, venue, observer) -> None:
    venue.faults([{"match": {"path": WALLET}, "kind": "drop_after", "count": 1}])
    assert exchange.fetch_balances()
    assert observer.outcomes("walletBalance") == ["unavailable", "ok"]
    venue.faults([{"match": {"path": WALLET}, "kind": "http_status", "status": 503}])
    with pytest.raises(VenueUnavailable):
        exchange.fetch_balances()
    rule = {"kind": "error_code", "status": 200, "code": 10010, "msg": "Unmatched IP"}
    venue.faults([{"match": {"path": WALLET}} | rule])
    count = len(venue.requests(path=WALLET))
    with pytest.raises(VenueRefused) as caught:
        exchange.fetch_balances()
    assert caught.value.venue_code == "10010"
    assert len(venue.requests(path=WALLET)) == count + 1, "a definite no is not repeated"


def test_a_read_measures_the_clock_again_when_the_venue_dislikes_its_stamp(exchange, venue) -> None:
    exchange.sync_clock()
    venue.faults([{"match": {}, "kind": "clock_skew", "ms": 60_000}])
    assert exchange.fetch_balances()
    assert len(venue.requests(path=WALLET)) == 2
    assert exchange.sync_clock() == pytest.approx(60_000, abs=2_000)


def test_warming_up_measures_the_clock_and_asks_once_more_over_a_cold_line(exchange, venue) -> None:
    exchange.warm_up()
    exchange.warm_up()
    assert len(venue.requests(path="/v5/market/time")) == 3
    exchange._line.http._used_at = None
    exchange.warm_up()
    assert len(venue.requests(path="/v5/market/time")) == 4


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
    path = {"match": {"path": EXECUTIONS}}
    venue.faults([path | {"kind": "duplicate_fill"}, path | {"kind": "out_of_order"}])
    since = datetime.now(UTC) - timedelta(days=15)
    fills = exchange.fetch_fills(SYMBOL, since=since)
    assert sorted(fill.client_order_id for fill in fills) == sorted(r.client_order_id for r in requests)
    assert [fill.filled_at for fill in fills] == sorted(fill.filled_at for fill in fills)
    assert exchange.fetch_fills(SYMBOL, exchange_order_id=fills[1].exchange_order_id) == [fills[1]]
    assert exchange.fetch_fills(SYMBOL, since=datetime.now(UTC) + timedelta(minutes=1)) == []
    assert exchange.fetch_fills("ETHUSDT", since=since) == []
    assert {(fill.fee_asset, fill.is_maker) for fill in fills} <= {("USDT", True), ("BTC", True)}


def test_more_fills_than_a_page_are_all_found(exchange, venue) -> None:
    _, request = place(exchange, quantity=D("0.15"))
    for _ in range(130):
        venue.fill(request.client_order_id, "0.001")
    fills = exchange.fetch_fills(SYMBOL, since=datetime.now(UTC) - timedelta(hours=1))
    assert len({fill.venue_fill_id for fill in fills}) == len(fills) == 130


def test_deposits_and_withdrawals_are_listed_with_their_sign_and_fee(exchange, venue) -> None:
    since = datetime.now(UTC) - timedelta(days=40)
    assert exchange.fetch_transfers(since) == []
    venue.deposit("USDT", "250.5")
    venue.withdraw("USDT", "10", fee="0.5")
    found = exchange.fetch_transfers(since)
    assert [(one.asset, one.quantity, one.fee) for one in found] == [
        ("USDT", D("250.5"), 0),
        ("USDT", D(-10), D("0.5")),
    ]
    assert [one.venue_transfer_id.split(":")[0] for one in found] == ["deposit", "withdrawal"]


def test_what_a_key_may_do(exchange, venue) -> None:
    rights = exchange.fetch_key_rights()
    assert (rights.can_trade, rights.can_read, rights.dangerous) == (True, True, ())
    venue.add_user("rich", "bybit-rich-key", "rich-secret", permissions=["SpotTrade", "Withdraw"])
    rich = make_exchange(venue.base_url, venue=VenueName.BYBIT, key="bybit-rich-key", secret="rich-secret")
    assert rich.fetch_key_rights().dangerous == ("Wallet:Withdraw",)


# -- public ----------------------------------------------------------------------------------------------------


def test_instruments_and_prices_need_no_key(venue) -> None:
    observer = CountingObserver()
    exchange = make_exchange(venue.base_url, venue=VenueName.BYBIT, key="", secret="", observer=observer)
    rules = {row.venue_symbol: row for row in exchange.fetch_instruments()}
    assert rules[SYMBOL].symbol == "BTC/USDT"
    assert rules[SYMBOL].is_tradable
    assert exchange.fetch_instruments([SYMBOL]) == [rules[SYMBOL]]
    (price,) = exchange.fetch_prices([SYMBOL])
    assert price.bid < price.last == 50000 < price.ask or price.bid <= 50000 <= price.ask
    assert {row.symbol for row in exchange.fetch_prices([SYMBOL, "ETHUSDT", "NOPEUSDT"])} == {
        SYMBOL,
        "ETHUSDT",
    }
    assert observer.outcomes("tickers") == ["ok", "ok"]


def test_candles_come_oldest_first_without_a_hole_over_several_pages(exchange, venue) -> None:
    now = datetime.now(UTC)
    since = now - timedelta(minutes=1500)
    candles = exchange.fetch_candles(SYMBOL, interval_minutes=1, since=since, until=now)
    assert len(candles) in (1499, 1500)
    assert all(one.close_at == other.open_at for one, other in itertools.pairwise(candles))
    assert len(venue.requests(path="/v5/market/kline")) == 2
