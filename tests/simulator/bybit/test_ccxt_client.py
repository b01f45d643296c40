"""ccxt, a client that nobody here wrote, trades on the simulated Bybit with only its base URL changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

OFFICIAL_HOST = "https://api.{hostname}"
SYMBOL = "BTC/USDT"


def point_to(urls: Any, base_url: str) -> Any:
    if isinstance(urls, dict):
        return {name: point_to(held, base_url) for name, held in urls.items()}
    return urls.replace(OFFICIAL_HOST, base_url) if isinstance(urls, str) else urls


@pytest.fixture
def exchange(bybit) -> Iterator[ccxt.bybit]:
    exchange = ccxt.bybit({"apiKey": bybit.key, "secret": bybit.secret, "enableRateLimit": False})
    exchange.session.trust_env = False
    exchange.urls["api"] = point_to(exchange.urls["api"], bybit.base_url)
    yield exchange
    exchange.session.close()


def test_it_loads_markets_with_their_steps(exchange: ccxt.bybit):
    markets = exchange.load_markets()
    assert markets[SYMBOL]["precision"] == {"amount": 1e-6, "price": 0.01}
    assert markets["ETH/USDC"]["active"]
    assert "PAUSED/USDT" not in markets
    assert {market["type"] for market in markets.values()} == {"spot"}


def test_it_reads_balance_ticker_book_candles_and_time(exchange: ccxt.bybit):
    assert exchange.fetch_balance()["USDT"]["free"] == 100000.0
    assert exchange.fetch_ticker(SYMBOL)["last"] == 50000.0
    book = exchange.fetch_order_book(SYMBOL, 5)
    assert book["bids"][0][0] < book["asks"][0][0]
    candles = exchange.fetch_ohlcv(SYMBOL, "1m", limit=3)
    assert [candle[0] for candle in candles] == sorted(candle[0] for candle in candles)
    assert len(candles) == len(exchange.fetch_trades(SYMBOL, limit=3)) == 3
    assert exchange.fetch_time() > 0
    assert exchange.fetch_trading_fee(SYMBOL)["taker"] == 0.001


def test_a_market_order_is_filled_and_its_fills_are_listed(exchange: ccxt.bybit, bybit):
    order = exchange.create_order(SYMBOL, "market", "buy", 0.01, None, {"marketUnit": "baseCoin"})
    fetched = exchange.fetch_closed_order(order["id"], SYMBOL)
    assert (fetched["status"], fetched["filled"]) == ("closed", 0.01)
    fills = exchange.fetch_my_trades(SYMBOL)
    assert sum(fill["amount"] for fill in fills) == pytest.approx(0.01)
    assert fills[0]["fee"]["currency"] == "BTC"
    assert exchange.fetch_balance()["BTC"]["free"] == pytest.approx(0.01 * 0.999)
    assert len(bybit.orders()) == 1


def test_a_market_order_by_cost_spends_about_that(exchange: ccxt.bybit):
    order = exchange.create_market_buy_order_with_cost(SYMBOL, 500)
    assert exchange.fetch_closed_order(order["id"], SYMBOL)["cost"] == pytest.approx(500, abs=0.1)


def test_a_limit_order_is_listed_canceled_and_gone(exchange: ccxt.bybit, bybit):
    order = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 46000, {"clientOrderId": "ccxt-1"})
    assert [row["clientOrderId"] for row in exchange.fetch_open_orders(SYMBOL)] == ["ccxt-1"]
    assert exchange.fetch_open_order(order["id"], SYMBOL)["status"] == "open"
    exchange.cancel_order(order["id"], SYMBOL)
    assert exchange.fetch_open_orders(SYMBOL) == []
    assert [row["id"] for row in exchange.fetch_canceled_orders(SYMBOL)] == [order["id"]]
    assert bybit.orders()[0]["status"] == "CANCELED"


def test_all_orders_of_a_symbol_are_canceled_and_listed(exchange: ccxt.bybit):
    for _ in range(3):
        exchange.create_order(SYMBOL, "limit", "buy", 0.01, 46000)
    exchange.cancel_all_orders(SYMBOL)
    assert exchange.fetch_open_orders(SYMBOL) == []
    assert [row["status"] for row in exchange.fetch_canceled_orders(SYMBOL)] == ["canceled"] * 3


def test_post_only_immediate_and_fill_or_kill_orders_arrive_as_such(exchange: ccxt.bybit, bybit):
    exchange.create_order(SYMBOL, "limit", "buy", 0.01, 46000, {"postOnly": True})
    exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50100, {"timeInForce": "IOC"})
    exchange.create_order(SYMBOL, "limit", "buy", 0.01, 50100, {"timeInForce": "FOK"})
    kinds = [(order["type"], order["status"]) for order in bybit.orders()]
    assert kinds == [("LIMIT_MAKER", "NEW"), ("IMMEDIATE_OR_CANCEL", "FILLED"), ("FILL_OR_KILL", "FILLED")]


def test_what_the_key_may_do_and_what_came_and_went_is_listed(exchange: ccxt.bybit, bybit):
    bybit.deposit("USDT", "250")
    bybit.withdraw("USDT", "100", fee="1")
    assert [row["amount"] for row in exchange.fetch_deposits("USDT")] == [250.0]
    (withdrawal,) = exchange.fetch_withdrawals("USDT")
    assert (withdrawal["amount"], withdrawal["fee"]["cost"], withdrawal["status"]) == (100.0, 1.0, "ok")
    assert exchange.is_unified_enabled() == [False, True]


def test_refusals_reach_it_as_its_own_exceptions(exchange: ccxt.bybit, bybit):
    with pytest.raises(ccxt.InsufficientFunds):
        exchange.create_order(SYMBOL, "limit", "sell", 1, 51000)
    with pytest.raises(ccxt.OrderNotFound):
        exchange.cancel_order("1", SYMBOL)
    with pytest.raises(ccxt.BadSymbol):
        exchange.create_order("NO/SUCH", "market", "buy", 1)
    exchange.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        exchange.fetch_balance()
    assert bybit.orders() == []
