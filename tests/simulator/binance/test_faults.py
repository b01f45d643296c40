"""The faults that a caller orders, as a client of the simulated Binance meets them."""

from __future__ import annotations

import httpx
import pytest

from tests.simulator.binance.client import BinanceClient, code, refusal

PLACEMENT = {"venue": "binance", "method": "POST", "path": "/api/v3/order"}


def test_an_order_whose_answer_is_lost_is_there(client: BinanceClient, binance) -> None:
    binance.faults([{"match": PLACEMENT, "kind": "drop_after", "count": 1}])
    with pytest.raises(httpx.RemoteProtocolError):
        client.place(newClientOrderId="lost")
    assert client.query("lost")["status"] == "NEW"


def test_a_fault_of_one_venue_leaves_the_others_alone(client: BinanceClient, binance) -> None:
    binance.faults([{"match": {"venue": "mexc"}, "kind": "http_status", "status": 502}])
    assert client.public("/api/v3/ping").status_code == 200


def test_an_ordered_rejection_has_binances_words_unless_others_are_given(
    client: BinanceClient, binance
) -> None:
    binance.faults([{"match": PLACEMENT, "kind": "reject", "count": 1}])
    assert refusal(client.place()) == (400, -2010, "Market is closed.")
    given = {"code": -2010, "msg": "This action is disabled on this account."}
    binance.faults([{"match": PLACEMENT, "kind": "reject", **given, "count": 1}])
    assert refusal(client.place())[1:] == (given["code"], given["msg"])
    assert binance.orders() == []


def test_unknown_outcomes_limits_and_maintenance_look_like_binances(client: BinanceClient, binance) -> None:
    timeout = {"status": 504, "code": -1007, "msg": "Timeout waiting for response from backend server."}
    binance.faults([{"match": PLACEMENT, "kind": "error_code", **timeout, "processed": True, "count": 1}])
    assert code(client.place(newClientOrderId="unknown")) == (504, -1007)
    assert client.query("unknown")["status"] == "NEW"
    binance.faults([{"match": PLACEMENT, "kind": "rate_limit", "retry_after": 7, "count": 1}])
    limited = client.place()
    assert (*code(limited), limited.headers["Retry-After"]) == (429, -1003, "7")
    binance.faults([{"match": PLACEMENT, "kind": "maintenance", "count": 1}])
    assert code(client.place()) == (503, -1016)
    binance.faults([{"match": {"venue": "binance"}, "kind": "clock_skew", "ms": 9_000}])
    assert code(client.place()) == (400, -1021)


def test_views_of_orders_and_fills_lag_repeat_and_turn_round(client: BinanceClient, binance) -> None:
    client.place("MARKET", quantity="0.3", newClientOrderId="seen")
    honest = client.fills()
    assert len(honest) > 1
    trades = {"venue": "binance", "path": "/api/v3/myTrades"}
    binance.faults([{"match": trades, "kind": "out_of_order"}])
    assert client.fills() == honest[::-1]
    binance.faults([{"match": trades, "kind": "duplicate_fill"}])
    assert client.fills() == [fill for fill in honest for _ in range(2)]
    binance.faults([{"match": trades, "kind": "delayed_fill", "seconds": 60}])
    assert client.fills() == []
    binance.faults([{"match": {"venue": "binance", "method": "GET"}, "kind": "not_found", "seconds": 60}])
    assert client.query("seen")["code"] == -2013
    assert client.get("/api/v3/allOrders", symbol="BTCUSDT") == []
