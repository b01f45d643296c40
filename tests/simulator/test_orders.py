"""Querying, listing and canceling orders, with MEXC's quirks."""

from __future__ import annotations

import time

from tests.simulator.mexc_client import SignedClient, refusal


def rest(
    client: SignedClient, name: str, symbol: str = "BTCUSDT", quantity: str = "0.01", price: str = "40000"
) -> str:
    answer = client.place(symbol=symbol, quantity=quantity, price=price, newClientOrderId=name)
    assert answer.status_code == 200, answer.text
    return answer.json()["orderId"]


def test_a_cancel_reports_new_and_the_query_reports_canceled(client: SignedClient, venue):
    rest(client, "c1")
    assert client.cancel("c1").json()["status"] == "NEW"
    assert client.query("c1")["status"] == "CANCELED"
    assert venue.balances()["USDT"]["locked"] == "0"


def test_the_cancel_status_can_be_the_documented_one(client: SignedClient, venue):
    venue.settings(cancel_status="CANCELED")
    rest(client, "c1")
    assert client.cancel("c1").json()["status"] == "CANCELED"


def test_a_partly_filled_order_ends_partially_canceled_and_keeps_its_fill(client: SignedClient, venue):
    rest(client, "c1", quantity="0.5")
    venue.fill("c1", "0.2")
    client.cancel("c1")
    order = client.query("c1")
    assert (order["status"], order["executedQty"], order["cummulativeQuoteQty"]) == (
        "PARTIALLY_CANCELED",
        "0.2",
        "8000",
    )
    assert client.free("BTC") == "0.2"


def test_canceling_what_is_finished_unknown_or_elsewhere_is_an_unknown_order(client: SignedClient):
    client.place(type="MARKET", quoteOrderQty="100", newClientOrderId="done")
    rest(client, "open")
    assert refusal(client.cancel("done")) == (400, -2011)
    assert refusal(client.cancel("never")) == (400, -2011)
    assert refusal(client.cancel("open", symbol="ETHUSDT")) == (400, -2011)
    assert refusal(client.call("DELETE", "/api/v3/order", symbol="BTCUSDT")) == (400, 700004)
    assert client.query("open")["status"] == "NEW"


def test_a_query_by_either_id_finds_the_same_order(client: SignedClient):
    order_id = rest(client, "q1")
    by_id = client.call("GET", "/api/v3/order", symbol="BTCUSDT", orderId=order_id).json()
    assert by_id == client.query("q1")
    assert refusal(client.call("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="q2")) == (
        400,
        -2013,
    )
    assert refusal(client.call("GET", "/api/v3/order", symbol="BTCUSDT")) == (400, 700004)


def test_open_orders_of_one_some_or_all_symbols(client: SignedClient):
    rest(client, "b1")
    rest(client, "e1", symbol="ETHUSDT", quantity="0.1", price="2000")
    rest(client, "s1", symbol="SOLUSDT", quantity="1", price="100")

    def listed(**parameters: str) -> set[str]:
        return {row["clientOrderId"] for row in client.call("GET", "/api/v3/openOrders", **parameters).json()}

    assert listed() == {"b1", "e1", "s1"}
    assert listed(symbol="BTCUSDT") == {"b1"}
    assert listed(symbol="BTCUSDT,ETHUSDT") == {"b1", "e1"}


def test_cancel_all_of_a_symbol_leaves_the_others(client: SignedClient):
    rest(client, "b1")
    rest(client, "b2")
    rest(client, "e1", symbol="ETHUSDT", quantity="0.1", price="2000")
    canceled = client.call("DELETE", "/api/v3/openOrders", symbol="BTCUSDT").json()
    assert {row["origClientOrderId"] for row in canceled} == {"b1", "b2"}
    assert client.query("e1", "ETHUSDT")["status"] == "NEW"


def test_cancel_all_takes_at_most_five_symbols_and_needs_one(client: SignedClient):
    rest(client, "b1")
    six = "BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT,DOGEUSDT,MXUSDT"
    assert refusal(client.call("DELETE", "/api/v3/openOrders", symbol=six)) == (400, 33333)
    assert refusal(client.call("DELETE", "/api/v3/openOrders")) == (400, 700004)
    assert client.query("b1")["status"] == "NEW"
    assert len(client.call("DELETE", "/api/v3/openOrders", symbol=six.rpartition(",")[0]).json()) == 1


def test_cancel_all_of_the_account_spares_other_users(client: SignedClient, second_client: SignedClient):
    rest(client, "b1")
    rest(client, "e1", symbol="ETHUSDT", quantity="0.1", price="2000")
    rest(second_client, "theirs")
    answer = client.call("DELETE", "/api/v3/order/all").json()
    assert (answer["code"], answer["msg"]) == (200, "success")
    assert client.call("GET", "/api/v3/openOrders").json() == []
    assert second_client.query("theirs")["status"] == "NEW"


def test_all_orders_newest_first_with_a_limit_and_a_window(client: SignedClient):
    for name in ("a", "b", "c"):
        rest(client, name)
    names = [
        row["clientOrderId"]
        for row in client.call("GET", "/api/v3/allOrders", symbol="BTCUSDT", limit=2).json()
    ]
    assert names == ["c", "b"]
    tomorrow = int(time.time() * 1000) + 86_400_000
    assert client.call("GET", "/api/v3/allOrders", symbol="BTCUSDT", startTime=tomorrow).json() == []


def test_fills_of_one_order_in_a_window_and_with_a_limit(client: SignedClient):
    first = client.place(type="MARKET", quantity="0.5").json()["orderId"]
    client.place(type="MARKET", quantity="0.001")
    of_first = client.fills(orderId=first)
    assert len(of_first) > 1
    assert {fill["orderId"] for fill in of_first} == {first}
    assert client.fills(limit=1) == client.fills()[:1]
    assert client.fills(endTime=of_first[0]["time"] - 60_000) == []
    assert refusal(client.call("GET", "/api/v3/myTrades", symbol="BTCUSDT", startTime=2, endTime=1)) == (
        400,
        33333,
    )


def test_a_page_of_fills_may_be_held_to_a_hundred(client: SignedClient, venue):
    venue.settings(fills_page="100")
    for number in range(102):
        client.place(type="MARKET", quantity="0.0001", newClientOrderId=f"m{number}")
    assert len(client.fills(limit=1000)) == 100
    venue.settings(fills_page="1000")
    assert len(client.fills(limit=1000)) == 102


def test_fills_page_through_by_time_window_without_loss(client: SignedClient):
    for _ in range(4):
        client.place(type="MARKET", quantity="0.3")
    everything = {fill["id"] for fill in client.fills(limit=1000)}
    seen: set[str] = set()
    end = int(time.time() * 1000)
    while True:
        page = client.fills(limit=8, endTime=end)
        fresh = {fill["id"] for fill in page} - seen
        if not fresh:
            break
        seen |= fresh
        end = page[-1]["time"]
    assert seen == everything
