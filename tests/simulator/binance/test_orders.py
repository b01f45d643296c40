"""Querying, listing and canceling orders at the simulated Binance, and the pages of fills."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.binance.client import BinanceClient, code, now_ms, refusal

HOUR = 3_600_000


def names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["clientOrderId"] for row in rows]


# -- query ---------------------------------------------------------------------------------------------------------


def test_an_order_is_found_by_either_id_and_by_both_if_they_belong_together(client: BinanceClient) -> None:
    number = client.rest("q1")
    client.rest("q2")
    by_number = client.get("/api/v3/order", symbol="BTCUSDT", orderId=number)
    assert by_number == client.query("q1")
    both = {"symbol": "BTCUSDT", "orderId": number}
    assert client.get("/api/v3/order", **both, origClientOrderId="q1") == by_number
    assert code(client.call("GET", "/api/v3/order", **both, origClientOrderId="q2")) == (400, -2039)
    assert code(client.call("GET", "/api/v3/order", symbol="BTCUSDT")) == (400, -1102)
    assert code(client.call("GET", "/api/v3/order", symbol="BTCUSDT", orderId="9" * 19)) == (400, -1108)


def test_what_is_unknown_elsewhere_or_anothers_does_not_exist(client, other: BinanceClient) -> None:
    client.rest("q1")
    missing = (400, -2013, "Order does not exist.")
    ask = {"symbol": "BTCUSDT", "origClientOrderId": "q1"}
    assert refusal(client.call("GET", "/api/v3/order", **{**ask, "origClientOrderId": "q9"})) == missing
    assert refusal(client.call("GET", "/api/v3/order", **{**ask, "symbol": "ETHUSDT"})) == missing
    assert refusal(other.call("GET", "/api/v3/order", **ask)) == missing


def test_open_orders_of_one_symbol_or_of_all(client: BinanceClient) -> None:
    client.rest("b1")
    client.rest("e1", symbol="ETHUSDT", quantity="0.1", price="2000")
    client.place("MARKET", quantity="0.001")
    assert names(client.get("/api/v3/openOrders")) == ["b1", "e1"]
    assert names(client.get("/api/v3/openOrders", symbol="ETHUSDT")) == ["e1"]


def test_all_orders_come_oldest_first_the_last_ones_or_from_an_id_or_a_time_on(client: BinanceClient) -> None:
    numbers = [client.rest(name) for name in ("a", "b", "c")]
    client.cancel("b")

    def listed(**more: Any) -> list[str]:
        return names(client.get("/api/v3/allOrders", symbol="BTCUSDT", **more))

    assert listed() == ["a", "b", "c"]
    assert listed(limit=2) == ["b", "c"]
    assert listed(orderId=numbers[1], limit=1) == ["b"]
    assert listed(startTime=now_ms() - HOUR, limit=2) == ["a", "b"]
    assert listed(endTime=now_ms() - HOUR) == []
    assert listed(startTime=now_ms() - 30 * HOUR) == []  # a start alone reaches a day on


@pytest.mark.parametrize("path", ["/api/v3/allOrders", "/api/v3/myTrades"])
def test_a_window_of_more_than_a_day_is_refused(client: BinanceClient, path: str) -> None:
    end = now_ms()
    wide = client.call("GET", path, symbol="BTCUSDT", startTime=end - 24 * HOUR - 1, endTime=end)
    assert refusal(wide) == (400, -1127, "More than 24 hours between startTime and endTime.")
    assert client.call("GET", path, symbol="BTCUSDT", startTime=end - 24 * HOUR, endTime=end).json() == []
    assert code(client.call("GET", path, symbol="BTCUSDT", startTime=end, endTime=end - 1)) == (400, -1128)


# -- cancel --------------------------------------------------------------------------------------------------------


def test_the_answer_to_a_cancel_names_the_cancel_and_the_order(client: BinanceClient, binance) -> None:
    number = client.rest("c1")
    answer = client.cancel("c1", newClientOrderId="the-cancel").json()
    assert (answer["clientOrderId"], answer["origClientOrderId"]) == ("the-cancel", "c1")
    assert (answer["orderId"], answer["status"]) == (number, "CANCELED")
    order = client.query("c1")
    assert (order["clientOrderId"], order["status"]) == ("c1", "CANCELED")
    client.rest("c2")
    assert client.cancel("c2").json()["clientOrderId"] not in ("c2", "", None)
    assert binance.balances()["USDT"]["locked"] == "0"


def test_a_partly_filled_order_ends_canceled_and_keeps_its_fill(client: BinanceClient, binance) -> None:
    client.rest("c1", quantity="0.5")
    binance.fill("c1", "0.2")
    answer = client.cancel("c1").json()
    assert (answer["status"], answer["executedQty"]) == ("CANCELED", "0.20000000")
    assert answer["cummulativeQuoteQty"] == "8000.00000000"


def test_what_is_not_open_is_an_unknown_order(client: BinanceClient) -> None:
    unknown = (400, -2011, "Unknown order sent.")
    client.place("MARKET", quantity="0.001", newClientOrderId="done")
    client.rest("open")
    assert refusal(client.cancel("done")) == unknown
    assert refusal(client.cancel("never")) == unknown
    assert refusal(client.cancel("open", symbol="ETHUSDT")) == unknown
    assert code(client.call("DELETE", "/api/v3/order", symbol="BTCUSDT")) == (400, -1102)
    assert client.query("open")["status"] == "NEW"


def test_a_cancel_may_be_bound_to_a_status(client: BinanceClient, binance) -> None:
    client.rest("c1", quantity="0.5")
    bound = client.cancel("c1", cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert refusal(bound)[1:] == (-2011, "Order was not canceled due to cancel restrictions.")
    assert code(client.cancel("c1", cancelRestrictions="ONLY_OLD")) == (400, -1145)
    binance.fill("c1", "0.1")
    assert code(client.cancel("c1", cancelRestrictions="ONLY_NEW")) == (400, -2011)
    assert client.cancel("c1", cancelRestrictions="ONLY_PARTIALLY_FILLED").status_code == 200


def test_all_of_a_symbol_are_canceled_and_nothing_else(client: BinanceClient, other: BinanceClient) -> None:
    client.rest("b1")
    client.rest("b2")
    client.rest("e1", symbol="ETHUSDT", quantity="0.1", price="2000")
    other.rest("theirs")
    canceled = client.call("DELETE", "/api/v3/openOrders", symbol="BTCUSDT").json()
    assert [row["origClientOrderId"] for row in canceled] == ["b1", "b2"]
    assert len({row["clientOrderId"] for row in canceled}) == 1
    assert refusal(client.call("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")) == (
        400,
        -2011,
        "Unknown order sent.",
    )
    assert code(client.call("DELETE", "/api/v3/openOrders")) == (400, -1102)
    assert names(client.get("/api/v3/openOrders")) == ["e1"]
    assert other.query("theirs")["status"] == "NEW"


# -- fills ---------------------------------------------------------------------------------------------------------


def test_fills_page_through_by_id_without_loss(client: BinanceClient, binance) -> None:
    for _ in range(4):
        client.place("MARKET", quantity="0.3")
    everything = [fill["id"] for fill in client.fills(limit=1000)]
    assert len(everything) > 6
    seen: list[int] = []
    while page := client.fills(limit=3, fromId=seen[-1] + 1 if seen else 0):
        seen += [fill["id"] for fill in page]
    assert seen == everything == sorted(everything)
    assert [fill["id"] for fill in client.fills(limit=2)] == everything[-2:]
    assert [str(number) for number in everything] == [fill["fill_id"] for fill in binance.fills()]


def test_fills_of_two_symbols_share_their_numbers(client: BinanceClient) -> None:
    client.place("MARKET", quantity="0.001")
    client.place("MARKET", symbol="ETHUSDT", quantity="0.01")
    assert client.fills()[0]["id"] == client.fills("ETHUSDT")[0]["id"]


def test_fills_of_one_order_or_of_a_window(client: BinanceClient) -> None:
    first = client.place("MARKET", quantity="0.5").json()["orderId"]
    client.place("MARKET", quantity="0.001")
    of_first = client.fills(orderId=first)
    assert {fill["orderId"] for fill in of_first} == {first}
    assert client.fills(orderId=first, fromId=of_first[1]["id"]) == of_first[1:]
    assert len(client.fills(startTime=now_ms() - HOUR)) == len(of_first) + 1
    assert client.fills(startTime=now_ms() - HOUR, endTime=now_ms() - HOUR // 2) == []


@pytest.mark.parametrize(
    "selection", [("orderId", "startTime"), ("fromId", "startTime"), ("fromId", "endTime")]
)
def test_other_combinations_of_what_selects_fills_are_refused(client: BinanceClient, selection) -> None:
    wanted = {name: now_ms() for name in selection}
    assert code(client.call("GET", "/api/v3/myTrades", symbol="BTCUSDT", **wanted)) == (400, -1128)
