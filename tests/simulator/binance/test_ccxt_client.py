"""ccxt's Binance client, which nobody here wrote, trades on the simulated venue with only its base URLs changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

SYMBOL = "BTC/USDT"
OFFICIAL_HOSTS = ("https://api.binance.com", "https://fapi.binance.com", "https://dapi.binance.com")


def point_to(urls: Any, base_url: str) -> Any:
    """The same URL tree with the official hosts replaced; nothing else of ccxt is touched."""
    if isinstance(urls, dict):
        return {name: point_to(held, base_url) for name, held in urls.items()}
    if isinstance(urls, str):
        for host in OFFICIAL_HOSTS:
            urls = urls.replace(host, base_url)
    return urls


@pytest.fixture
def exchange(binance) -> Iterator[ccxt.binance]:
    exchange = ccxt.binance({"apiKey": binance.key, "secret": binance.secret, "enableRateLimit": False})
    exchange.session.trust_env = False
    exchange.urls["api"] = point_to(exchange.urls["api"], binance.base_url)
    yield exchange
    exchange.session.close()


def test_it_loads_markets_with_their_steps_and_bounds(exchange: ccxt.binance) -> None:
    markets = exchange.load_markets()
    assert markets[SYMBOL]["precision"]["amount"] == 1e-5
    assert markets[SYMBOL]["precision"]["price"] == 0.01
    assert markets[SYMBOL]["limits"]["cost"]["min"] == 5.0
    assert markets["XRP/USDT"]["limits"]["cost"]["min"] == 5.0
    assert markets["ETH/USDC"]["active"]
    assert not markets["PAUSED/USDT"]["active"]
    assert {market["type"] for market in markets.values()} == {"spot"}


def test_it_reads_balance_tickers_book_candles_fees_and_time(exchange: ccxt.binance) -> None:
    assert exchange.fetch_balance()["USDT"] == {"free": 100000.0, "used": 0.0, "total": 100000.0}
    assert exchange.fetch_ticker(SYMBOL)["last"] == 50000.0
    assert set(exchange.fetch_tickers([SYMBOL, "ETH/USDT"])) == {SYMBOL, "ETH/USDT"}
    book = exchange.fetch_order_book(SYMBOL, 5)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert len(exchange.fetch_ohlcv(SYMBOL, "1h", limit=3)) == 3
    assert len(exchange.fetch_trades(SYMBOL, limit=3)) == 3
    assert exchange.fetch_time() > 0
    assert exchange.fetch_trading_fee(SYMBOL)["taker"] == 0.001


def test_a_market_order_is_filled_and_its_fills_are_listed(exchange: ccxt.binance, binance) -> None:
    order = exchange.create_order(SYMBOL, "market", "buy", 0.01)
    assert (order["status"], order["filled"], order["fee"]["currency"]) == ("closed", 0.01, "BTC")
    assert exchange.fetch_order(order["id"], SYMBOL)["status"] == "closed"
    fills = exchange.fetch_my_trades(SYMBOL)
    assert sum(fill["amount"] for fill in fills) == pytest.approx(0.01)
    assert exchange.fetch_order_trades(order["id"], SYMBOL) == fills
    assert exchange.fetch_balance()["BTC"]["free"] == pytest.approx(0.00999)
    assert [row["order_id"] for row in binance.orders()] == [order["id"]]


def test_a_market_order_by_cost_spends_about_that(exchange: ccxt.binance) -> None:
    order = exchange.create_market_buy_order_with_cost(SYMBOL, 500)
    assert order["cost"] == pytest.approx(500, abs=1)


def test_a_limit_order_is_listed_canceled_and_gone(exchange: ccxt.binance, binance) -> None:
    order = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 40000, {"clientOrderId": "ccxt-1"})
    assert [row["clientOrderId"] for row in exchange.fetch_open_orders(SYMBOL)] == ["ccxt-1"]
    assert exchange.cancel_order(order["id"], SYMBOL)["status"] == "canceled"
    assert exchange.fetch_open_orders(SYMBOL) == []
    assert exchange.fetch_order(order["id"], SYMBOL)["status"] == "canceled"
    assert binance.orders()[0]["status"] == "CANCELED"


def test_all_orders_of_a_symbol_are_canceled_and_listed(exchange: ccxt.binance) -> None:
    for _ in range(3):
        exchange.create_order(SYMBOL, "limit", "buy", 0.01, 40000)
    exchange.cancel_all_orders(SYMBOL)
    assert [row["status"] for row in exchange.fetch_orders(SYMBOL)] == ["canceled"] * 3


def test_post_only_immediate_and_fill_or_kill_orders_arrive_as_such(exchange: ccxt.binance, binance) -> None:
    exchange.create_order(SYMBOL, "limit", "buy", 0.01, 40000, {"postOnly": True})
    exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50100, {"timeInForce": "IOC"})
    exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50100, {"timeInForce": "FOK"})
    kinds = [(order["type"], order["status"]) for order in binance.orders()]
    assert kinds == [("LIMIT_MAKER", "NEW"), ("IMMEDIATE_OR_CANCEL", "FILLED"), ("FILL_OR_KILL", "FILLED")]


def test_transfers_and_unhelpful_order_types_are_understood(exchange: ccxt.binance, binance) -> None:
    binance.deposit("USDT", "5")
    binance.withdraw("USDT", "7", fee="1")
    assert [row["amount"] for row in exchange.fetch_deposits("USDT")] == [5.0]
    (taken,) = exchange.fetch_withdrawals("USDT")
    assert (taken["amount"], taken["status"], taken["fee"]["cost"]) == (7.0, "ok", 1.0)
    assert exchange.create_order(SYMBOL, "market", "buy", 0.01, None, {"test": True})["id"] is None


def test_refusals_reach_it_as_its_own_exceptions(exchange: ccxt.binance, binance) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(SYMBOL, "limit", "sell", 1, 60000)
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50100, {"postOnly": True})
    with pytest.raises(ccxt.OrderNotFound):
        exchange.fetch_order("7", SYMBOL)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("7", SYMBOL)
    with pytest.raises(ccxt.BadSymbol):
        exchange.create_order("NO/SUCH", "market", "buy", 1)
    binance.faults([{"match": {"venue": "binance"}, "kind": "rate_limit", "count": 1}])
    with pytest.raises(ccxt.DDoSProtection):
        exchange.fetch_balance()
    exchange.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        exchange.fetch_balance()
    assert binance.orders() == []
