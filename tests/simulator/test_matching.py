"""Matching: what fills, at which price, against whom, with what fee, and what stays reserved."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.simulator.mexc_client import SignedClient


def test_the_acknowledgement_has_no_status_no_client_id_and_no_fills(client: SignedClient):
    ack = client.place(type="MARKET", quoteOrderQty="100", newClientOrderId="m1").json()
    assert set(ack) == {
        "symbol",
        "orderId",
        "orderListId",
        "price",
        "origQty",
        "type",
        "side",
        "stpMode",
        "transactTime",
    }
    assert ack["orderId"].startswith("C02__")


def test_a_market_buy_by_quote_fills_at_once_within_its_budget(client: SignedClient):
    client.place(type="MARKET", quoteOrderQty="1000", newClientOrderId="m1")
    order = client.query("m1")
    assert order["status"] == "FILLED"
    assert Decimal(order["price"]) == Decimal("52500")  # a protective bound, not the price of the fills
    assert Decimal("999") < Decimal(order["cummulativeQuoteQty"]) <= 1000
    assert sum(Decimal(fill["qty"]) for fill in client.fills()) == Decimal(order["executedQty"])


def test_a_large_market_order_eats_through_several_levels(client: SignedClient):
    client.place(type="MARKET", quantity="1", newClientOrderId="m1")
    fills = client.fills()
    prices = [Decimal(fill["price"]) for fill in fills]
    assert len(fills) > 3
    assert prices == sorted(prices, reverse=True), "newest first, and later fills are dearer"
    assert {fill["commissionAsset"] for fill in fills} == {"USDT"}
    assert all(Decimal(fill["commission"]) * 2000 == Decimal(fill["quoteQty"]) for fill in fills)


def test_a_market_order_larger_than_the_book_ends_partially_canceled(client: SignedClient, venue):
    venue.change_instrument("BTCUSDT", depth_notional="10")
    client.place(type="MARKET", quantity="1", newClientOrderId="m1")
    order = client.query("m1")
    assert order["status"] == "PARTIALLY_CANCELED"
    assert 0 < Decimal(order["executedQty"]) < 1


def test_a_market_order_without_a_counterparty_is_refused(client: SignedClient, venue):
    venue.change_instrument("BTCUSDT", depth_notional="0")
    assert client.place(type="MARKET", quantity="0.1").json()["code"] == 30025
    assert venue.orders() == []


def test_a_market_sell_by_quote_sells_about_that_much(client: SignedClient, venue):
    venue.set_balance("BTC", "1")
    client.place(side="SELL", type="MARKET", quoteOrderQty="1000", newClientOrderId="s1")
    order = client.query("s1")
    assert order["status"] == "FILLED"
    assert Decimal("990") < Decimal(order["cummulativeQuoteQty"]) <= 1000


def test_a_limit_order_below_the_market_rests_and_reserves_price_and_fee(client: SignedClient, venue):
    client.place(quantity="0.5", price="40000", newClientOrderId="l1", timeInForce="IOC")
    assert client.query("l1")["status"] == "NEW"  # timeInForce is ignored, as the real venue ignores it
    row = venue.balances()["USDT"]
    assert (row["locked"], row["free"]) == ("20010", "79990")
    assert [order["clientOrderId"] for order in client.call("GET", "/api/v3/openOrders").json()] == ["l1"]


def test_a_resting_order_fills_at_its_own_price_when_the_market_comes(client: SignedClient, venue):
    client.place(quantity="0.05", price="49000", newClientOrderId="l1")
    venue.set_price("BTCUSDT", "48900")
    order, fill = client.query("l1"), client.fills()[0]
    assert (order["status"], fill["price"], fill["isMaker"], fill["commission"]) == (
        "FILLED",
        "49000",
        True,
        "0",
    )
    assert venue.balances()["USDT"]["total"] == "97550"
    assert venue.balances()["USDT"]["locked"] == "0"


def test_a_resting_order_fills_in_parts_while_depth_lasts(client: SignedClient, venue):
    venue.change_instrument("BTCUSDT", depth_notional="100")
    client.place(quantity="1", price="49000", newClientOrderId="l1")
    venue.set_price("BTCUSDT", "48999")
    order = client.query("l1")
    assert order["status"] == "PARTIALLY_FILLED"
    venue.advance(1)
    assert Decimal(client.query("l1")["executedQty"]) > Decimal(order["executedQty"])


def test_the_better_price_is_filled_first_when_depth_is_short(client: SignedClient, venue):
    venue.change_instrument("BTCUSDT", depth_notional="100")
    client.place(quantity="1", price="49000", newClientOrderId="worse")
    client.place(quantity="0.0001", price="49100", newClientOrderId="better")
    venue.set_price("BTCUSDT", "48999")
    assert client.query("better")["status"] == "FILLED"
    assert client.query("worse")["status"] == "PARTIALLY_FILLED"


def test_a_resting_order_stays_untouched_while_the_market_is_away(client: SignedClient, venue):
    client.place(quantity="0.05", price="40000", newClientOrderId="l1")
    venue.set_price("BTCUSDT", "40001")
    venue.advance(5)
    assert client.query("l1")["status"] == "NEW"
    assert venue.fills() == []


def test_a_crossing_limit_order_takes_what_is_there_and_rests_with_the_rest(client: SignedClient, venue):
    client.place(quantity="0.2", price="50000.01", newClientOrderId="l1")
    order = client.query("l1")
    assert order["status"] == "PARTIALLY_FILLED"
    assert {fill["price"] for fill in client.fills()} == {"50000.01"}
    assert Decimal(venue.balances()["USDT"]["locked"]) > 0


def test_post_only_rests_or_is_canceled_but_never_takes(client: SignedClient, venue):
    client.place(type="LIMIT_MAKER", quantity="0.01", price="50000.01", newClientOrderId="taker")
    client.place(type="LIMIT_MAKER", quantity="0.01", price="50000", newClientOrderId="maker")
    assert client.query("taker")["status"] == "CANCELED"
    assert client.query("maker")["status"] == "NEW"
    assert venue.fills() == []


def test_immediate_or_cancel_never_rests(client: SignedClient, venue):
    client.place(type="IMMEDIATE_OR_CANCEL", quantity="0.2", price="50000.01", newClientOrderId="part")
    client.place(type="IMMEDIATE_OR_CANCEL", quantity="0.2", price="49000", newClientOrderId="none")
    assert client.query("part")["status"] == "PARTIALLY_CANCELED"
    assert client.query("none")["status"] == "CANCELED"
    assert venue.balances()["USDT"]["locked"] == "0"


def test_fill_or_kill_fills_whole_or_not_at_all(client: SignedClient, venue):
    client.place(type="FILL_OR_KILL", quantity="0.2", price="50000.01", newClientOrderId="none")
    assert client.query("none")["status"] == "CANCELED"
    assert venue.fills() == []
    client.place(type="FILL_OR_KILL", quantity="0.2", price="50010", newClientOrderId="whole")
    assert client.query("whole")["status"] == "FILLED"


def test_users_trade_with_each_other_by_price_then_time(
    client: SignedClient, second_client: SignedClient, venue
):
    venue.change_instrument("BTCUSDT", depth_notional="0")
    second_client.place(side="SELL", quantity="0.1", price="50000", newClientOrderId="first")
    second_client.place(side="SELL", quantity="0.1", price="50000", newClientOrderId="second")
    second_client.place(side="SELL", quantity="0.1", price="49990", newClientOrderId="cheaper")
    client.place(quantity="0.15", price="50000", newClientOrderId="taker")
    assert second_client.query("cheaper")["status"] == "FILLED"
    assert second_client.query("first")["executedQty"] == "0.05"
    assert second_client.query("second")["executedQty"] == "0"
    assert [fill["price"] for fill in client.fills()] == ["50000", "49990"]
    assert {fill["isMaker"] for fill in second_client.fills()} == {True}
    assert venue.book_differences() == []


def test_a_users_order_goes_before_the_synthetic_depth_at_one_price(
    client: SignedClient, second_client: SignedClient
):
    second_client.place(side="SELL", quantity="0.01", price="50000.01", newClientOrderId="resting")
    client.place(type="MARKET", quantity="0.01")
    assert second_client.query("resting")["status"] == "FILLED"


def test_an_order_may_meet_its_own_users_order(client: SignedClient, venue):
    venue.set_balance("BTC", "1")
    client.place(side="SELL", quantity="0.01", price="50000.01", newClientOrderId="mine")
    client.place(type="MARKET", quantity="0.01")
    assert [fill["isSelfTrade"] for fill in client.fills()] == [True, True]
    assert venue.book_differences() == []


def test_one_users_orders_are_invisible_to_another(client: SignedClient, second_client: SignedClient):
    ack = client.place(quantity="0.01", price="40000", newClientOrderId="mine").json()
    answer = second_client.call("GET", "/api/v3/order", symbol="BTCUSDT", orderId=ack["orderId"])
    assert answer.json()["code"] == -2013
    assert second_client.call("GET", "/api/v3/openOrders").json() == []
    assert (
        second_client.call("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=ack["orderId"]).json()["code"]
        == -2011
    )
    assert client.query("mine")["status"] == "NEW"


@pytest.mark.parametrize(("policy", "asset"), [("quote", "USDT"), ("base", "BTC"), ("third", "MX")])
def test_the_fee_is_taken_in_the_configured_asset(client: SignedClient, venue, policy: str, asset: str):
    venue.settings(fee_asset=policy)
    client.place(type="MARKET", quantity="0.01")
    fill = client.fills()[0]
    assert fill["commissionAsset"] == asset
    assert Decimal(fill["commission"]) > 0
    assert (client.free("BTC") == "0.01") is (policy != "base")
    assert venue.book_differences() == []


def test_without_enough_of_the_third_asset_the_fee_falls_back_to_quote(client: SignedClient, venue):
    venue.settings(fee_asset="third")
    venue.set_balance("MX", "0")
    client.place(type="MARKET", quantity="0.01")
    assert client.fills()[0]["commissionAsset"] == "USDT"


def test_a_forced_fill_fills_part_of_a_resting_order(client: SignedClient, venue):
    client.place(quantity="0.5", price="40000", newClientOrderId="l1")
    assert venue.fill("l1", "0.2")["status"] == "PARTIALLY_FILLED"
    assert client.query("l1")["executedQty"] == "0.2"
    assert venue.fill("l1")["status"] == "FILLED"
    assert [fill["qty"] for fill in client.fills()] == ["0.3", "0.2"]


def test_equal_client_ids_make_two_orders_unless_told_to_reject(client: SignedClient, venue):
    for _ in range(2):
        assert client.place(quantity="0.01", price="40000", newClientOrderId="same").status_code == 200
    assert len(venue.orders()) == 2
    venue.settings(duplicate_client_ids="reject")
    assert client.place(quantity="0.01", price="40000", newClientOrderId="same").json()["code"] == -2010
    assert len(venue.orders()) == 2
