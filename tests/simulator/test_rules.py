"""The venue's rules for new orders: each breach has its documented answer and changes nothing."""

from __future__ import annotations

import pytest

from tests.simulator.mexc_client import SignedClient, refusal

LIMIT = {"side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "40000"}
MARKET = {"side": "BUY", "type": "MARKET", "quoteOrderQty": "100"}

BREACHES = {
    "unknown symbol": (LIMIT | {"symbol": "NOSUCHUSDT"}, -1121),
    "lower-case symbol": (LIMIT | {"symbol": "btcusdt"}, -1121),
    "paused symbol": (LIMIT | {"symbol": "PAUSEDUSDT", "quantity": "10", "price": "1"}, 30016),
    "symbol closed to the API": (LIMIT | {"symbol": "NOAPIUSDT", "quantity": "10", "price": "1"}, 10007),
    "side closed": (LIMIT | {"symbol": "SELLONLYUSDT", "quantity": "10", "price": "1"}, 30001),
    "pair without MARKET": (MARKET | {"symbol": "ETHUSDC"}, 30018),
    "quantity too fine": (LIMIT | {"quantity": "0.000000001"}, 400),
    "quantity off the lot": (LIMIT | {"symbol": "METALUSDT", "quantity": "100.05", "price": "0.05"}, 400),
    "quantity below the lot": (LIMIT | {"symbol": "DOGEUSDT", "quantity": "0.1", "price": "0.1"}, 30002),
    "price too fine": (LIMIT | {"price": "40000.001"}, 400),
    "quote quantity too fine": (MARKET | {"quoteOrderQty": "100.001"}, 400),
    "below the minimum notional": (LIMIT | {"quantity": "0.00001"}, 30002),
    "market below the minimum notional": (MARKET | {"quoteOrderQty": "0.99"}, 30002),
    "above the maximum notional": (LIMIT | {"quantity": "60"}, 30003),
    "market above the maximum notional": (MARKET | {"quoteOrderQty": "1000001"}, 30003),
    "bid far above the market": (LIMIT | {"quantity": "0.00001", "price": "250000.01"}, 30087),
    "ask far below the market": (LIMIT | {"side": "SELL", "quantity": "1", "price": "9999.99"}, 30087),
    "more than the free quote": (LIMIT | {"quantity": "2.5"}, 30004),
    "the whole quote with nothing left for the fee": (MARKET | {"quoteOrderQty": "100000"}, 30004),
    "more than the free base": (LIMIT | {"side": "SELL", "price": "60000"}, 30005),
    "exponent": (LIMIT | {"quantity": "1E-2"}, 33333),
    "zero quantity": (LIMIT | {"quantity": "0"}, 33333),
    "negative quantity": (LIMIT | {"quantity": "-1"}, 33333),
    "NaN": (LIMIT | {"quantity": "NaN"}, 33333),
    "infinite price": (LIMIT | {"price": "Infinity"}, 33333),
    "wrong side": (LIMIT | {"side": "buy"}, 33333),
    "wrong type": (LIMIT | {"type": "STOP_LOSS"}, 33333),
    "limit without a price": ({"side": "BUY", "type": "LIMIT", "quantity": "1"}, 700004),
    "limit without a quantity": ({"side": "BUY", "type": "LIMIT", "price": "40000"}, 700004),
    "market with nothing": ({"side": "BUY", "type": "MARKET"}, 700004),
    "market with both quantities": (MARKET | {"quantity": "1"}, 33333),
    "client id too long": (LIMIT | {"newClientOrderId": "x" * 33}, 700008),
    "client id with a dot": (LIMIT | {"newClientOrderId": "a.b"}, 700008),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_refused_with_its_code_and_changes_nothing(client: SignedClient, venue, name: str):
    before = venue.balances()
    parameters, code = BREACHES[name]
    answer = client.place(**({"symbol": "BTCUSDT"} | parameters))
    assert refusal(answer) == (400, code), answer.text
    assert venue.orders() == []
    assert venue.balances() == before


def test_the_test_endpoint_applies_the_same_rules_but_not_the_balance(client: SignedClient, venue):
    assert client.call("POST", "/api/v3/order/test", symbol="BTCUSDT", **LIMIT).json() == {}
    assert (
        client.call("POST", "/api/v3/order/test", symbol="BTCUSDT", **(LIMIT | {"quantity": "30"})).json()
        == {}
    )
    assert refusal(
        client.call("POST", "/api/v3/order/test", symbol="BTCUSDT", **(LIMIT | {"price": "1.001"}))
    ) == (400, 400)
    assert venue.orders() == []


def test_scale_messages_are_those_seen_in_production(client: SignedClient):
    assert client.place(quantity="0.000000001", price="40000").json() == {
        "msg": " quantity scale is invalid",
        "code": 400,
    }
    too_fine = client.place(type="MARKET", quoteOrderQty="100.001")
    assert too_fine.json() == {"msg": " amount scale is invalid", "code": 400}


def test_a_changed_listing_changes_the_rule_and_the_listing(client: SignedClient, venue):
    venue.change_instrument("BTCUSDT", online=False)
    assert refusal(client.place(quantity="0.01", price="40000")) == (400, 30016)
    info = client.public("/api/v3/exchangeInfo", symbol="BTCUSDT").json()
    assert info["symbols"][0]["status"] == "2"


def test_a_band_below_one_is_read_as_a_fraction(client: SignedClient, venue):
    venue.change_instrument("BTCUSDT", bid_multiplier_up="0.05", ask_multiplier_down="0.05")
    assert refusal(client.place(quantity="0.01", price="52500.01")) == (400, 30087)
    assert client.place(quantity="0.01", price="47500").status_code == 200


def test_a_key_bound_to_symbols_trades_no_other(client: SignedClient, venue):
    venue.add_user("bound", "mx0bound", "bound-secret", balances={"USDT": "1000"}, symbols=["ETHUSDT"])
    bound = SignedClient(venue.base_url, "mx0bound", "bound-secret")
    assert bound.call("GET", "/api/v3/selfSymbols").json()["data"] == ["ETHUSDT"]
    assert refusal(bound.place(quantity="0.01", price="40000")) == (400, 30020)
    assert bound.place(symbol="ETHUSDT", type="MARKET", quoteOrderQty="10").status_code == 200
    bound.close()


def test_at_most_500_orders_rest_per_account(client: SignedClient, venue):
    for number in range(500):
        assert (
            client.place(quantity="0.0001", price="20000", newClientOrderId=f"n{number}").status_code == 200
        )
    assert refusal(client.place(quantity="0.0001", price="20000")) == (400, 30029)
    assert len(venue.orders()) == 500
