"""ccxt, a client that nobody here wrote, trades on the simulated venue with only its base URL changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

OFFICIAL_HOST = "https://api.mexc.com"
SYMBOL = "BTC/USDT"


def point_to(urls: Any, base_url: str) -> Any:
    """The same URL tree with the official host replaced; nothing else of ccxt is touched."""
    if isinstance(urls, dict):
        return {name: point_to(held, base_url) for name, held in urls.items()}
    return urls.replace(OFFICIAL_HOST, base_url) if isinstance(urls, str) else urls


@pytest.fixture
def exchange(venue) -> Iterator[ccxt.mexc]:
    exchange = ccxt.mexc({"apiKey": venue.key, "secret": venue.secret, "enableRateLimit": False})
    exchange.session.trust_env = False
    exchange.urls["api"] = point_to(exchange.urls["api"], venue.base_url)
    yield exchange
    exchange.session.close()


def test_it_loads_markets_with_their_scales(exchange: ccxt.mexc):
    markets = exchange.load_markets()
    assert markets[SYMBOL]["precision"] == {"amount": 1e-6, "price": 0.01}
    assert markets["ETH/USDC"]["active"]
    assert not markets["PAUSED/USDT"]["active"]
    assert {market["type"] for market in markets.values()} == {"spot"}


def test_it_reads_balance_ticker_book_candles_and_time(exchange: ccxt.mexc):
    assert exchange.fetch_balance()["USDT"] == {"free": 100000.0, "used": 0.0, "total": 100000.0}
    assert exchange.fetch_ticker(SYMBOL)["last"] == 50000.0
    book = exchange.fetch_order_book(SYMBOL, 5)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert len(exchange.fetch_ohlcv(SYMBOL, "1m", limit=3)) == 3
    assert len(exchange.fetch_trades(SYMBOL, limit=3)) == 3
    assert exchange.fetch_time() > 0
    assert exchange.fetch_trading_fee(SYMBOL)["taker"] == 0.0005


def test_a_market_order_is_filled_and_its_fills_are_listed(exchange: ccxt.mexc, venue):
    order = exchange.create_order(SYMBOL, "market", "buy", 0.01)
    fetched = exchange.fetch_order(order["id"], SYMBOL)
    assert (fetched["status"], fetched["filled"]) == ("closed", 0.01)
    fills = exchange.fetch_my_trades(SYMBOL)
    assert sum(fill["amount"] for fill in fills) == pytest.approx(0.01)
    assert fills[0]["fee"]["currency"] == "USDT"
    assert exchange.fetch_order_trades(order["id"], SYMBOL) == fills
    assert exchange.fetch_balance()["BTC"]["free"] == 0.01
    assert len(venue.orders()) == 1


def test_a_market_order_by_cost_spends_about_that(exchange: ccxt.mexc):
    order = exchange.create_market_buy_order_with_cost(SYMBOL, 500)
    assert exchange.fetch_order(order["id"], SYMBOL)["cost"] == pytest.approx(500, abs=0.1)


def test_a_limit_order_is_listed_canceled_and_gone(exchange: ccxt.mexc, venue):
    order = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 40000, {"clientOrderId": "ccxt-1"})
    assert [row["clientOrderId"] for row in exchange.fetch_open_orders(SYMBOL)] == ["ccxt-1"]
    assert exchange.fetch_order(order["id"], SYMBOL)["status"] == "open"
    exchange.cancel_order(order["id"], SYMBOL)
    assert exchange.fetch_open_orders(SYMBOL) == []
    assert exchange.fetch_order(order["id"], SYMBOL)["status"] == "canceled"
    assert venue.orders()[0]["status"] == "CANCELED"


def test_all_orders_of_a_symbol_are_canceled_and_listed(exchange: ccxt.mexc):
    for _ in range(3):
        exchange.create_order(SYMBOL, "limit", "buy", 0.01, 40000)
    exchange.cancel_all_orders(SYMBOL)
    assert exchange.fetch_open_orders(SYMBOL) == []
    assert [row["status"] for row in exchange.fetch_orders(SYMBOL)] == ["canceled"] * 3


def test_post_only_immediate_and_fill_or_kill_orders_arrive_as_such(exchange: ccxt.mexc, venue):
    exchange.create_order(SYMBOL, "limit", "buy", 0.01, 40000, {"postOnly": True})
    exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50100, {"timeInForce": "IOC"})
    exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50100, {"timeInForce": "FOK"})
    kinds = [(order["type"], order["status"]) for order in venue.orders()]
    assert kinds == [("LIMIT_MAKER", "NEW"), ("IMMEDIATE_OR_CANCEL", "FILLED"), ("FILL_OR_KILL", "FILLED")]


def test_refusals_reach_it_as_its_own_exceptions(exchange: ccxt.mexc, venue):
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(SYMBOL, "limit", "sell", 1, 60000)
    with pytest.raises(ccxt.ExchangeError, match="-2013"):
        exchange.fetch_order("C02__0", SYMBOL)
    with pytest.raises(ccxt.BadSymbol):
        exchange.create_order("NO/SUCH", "market", "buy", 1)
    exchange.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        exchange.fetch_balance()
    assert venue.orders() == []
