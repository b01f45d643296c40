"""What the simulated Binance tells everybody: rules with filters, book, candles and tickers."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.simulator.binance.client import BinanceClient, code, now_ms


def info(client: BinanceClient, **more: Any) -> dict[str, dict[str, Any]]:
    rows = client.public("/api/v3/exchangeInfo", **more).json()["symbols"]
    return {row["symbol"]: row for row in rows}


def filters_of(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["filterType"]: entry for entry in row["filters"]}


def test_a_symbols_filters_say_its_steps_and_bounds(client: BinanceClient) -> None:
    row = info(client, symbol="BTCUSDT")["BTCUSDT"]
    filters = filters_of(row)
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert Decimal(filters["MARKET_LOT_SIZE"]["stepSize"]) == 0
    assert (filters["NOTIONAL"]["minNotional"], filters["NOTIONAL"]["applyMinToMarket"]) == (
        "5.00000000",
        True,
    )
    assert filters["MAX_NUM_ORDERS"]["maxNumOrders"] == 200
    assert (row["status"], row["permissionSets"], row["permissions"]) == ("TRADING", [["SPOT"]], [])


def test_symbols_differ_as_on_the_real_venue(client: BinanceClient) -> None:
    rows = info(client)
    assert "NOTIONAL" not in filters_of(rows["XRPUSDT"])
    assert filters_of(rows["XRPUSDT"])["MIN_NOTIONAL"]["applyToMarket"]
    assert "MARKET" not in rows["ETHUSDC"]["orderTypes"]
    assert rows["PAUSEDUSDT"]["status"] == "BREAK"
    assert rows["CANCELONLYUSDT"]["status"] == "CANCEL_ONLY"
    assert (rows["NOAPIUSDT"]["isSpotTradingAllowed"], rows["NOAPIUSDT"]["permissionSets"]) == (
        False,
        [["MARGIN"]],
    )
    assert "币测USDT" in rows


def test_symbols_are_chosen_by_name_list_status_or_permission(client: BinanceClient) -> None:
    assert list(info(client, symbols='["ETHUSDT","BTCUSDT"]')) == ["ETHUSDT", "BTCUSDT"]
    assert list(info(client, symbolStatus="BREAK")) == ["PAUSEDUSDT"]
    assert info(client, permissions="TRD_GRP_001") == {}
    assert list(info(client, permissions='["MARGIN","LEVERAGED"]')) == ["NOAPIUSDT"]
    assert info(client, symbol="BTCUSDT", showPermissionSets="false")["BTCUSDT"]["permissionSets"] == []
    ask = client.public
    assert code(ask("/api/v3/exchangeInfo", symbols="BTCUSDT,ETHUSDT")) == (400, -1135)
    assert code(ask("/api/v3/exchangeInfo", symbols='["BTCUSDT","BTCUSDT"]')) == (400, -1151)
    assert code(ask("/api/v3/exchangeInfo", symbol="NOSUCH")) == (400, -1121)
    assert code(ask("/api/v3/exchangeInfo", symbol="BTCUSDT", symbolStatus="TRADING")) == (400, -1128)


def test_the_rules_say_the_limits(client: BinanceClient, binance) -> None:
    binance.settings(limits_scale="0.5")
    limits = client.public("/api/v3/exchangeInfo", symbol="BTCUSDT").json()["rateLimits"]
    assert [(row["rateLimitType"], row["interval"], row["intervalNum"], row["limit"]) for row in limits] == [
        ("REQUEST_WEIGHT", "MINUTE", 1, 3_000),
        ("ORDERS", "SECOND", 10, 50),
        ("ORDERS", "DAY", 1, 100_000),
        ("RAW_REQUESTS", "MINUTE", 5, 300_000),
    ]


def test_the_book_shows_resting_orders_and_its_best_prices_are_the_tickers(client: BinanceClient) -> None:
    client.rest("mine", price="49999.995"[:8], quantity="1")
    book = client.public("/api/v3/depth", symbol="BTCUSDT", limit=3).json()
    assert len(book["bids"]) == len(book["asks"]) == 3
    best = client.public("/api/v3/ticker/bookTicker", symbol="BTCUSDT").json()
    assert [best["bidPrice"], best["bidQty"]] == book["bids"][0]
    assert Decimal(best["bidQty"]) > 1
    assert Decimal(best["bidPrice"]) < Decimal(best["askPrice"])


def test_tickers_come_for_one_some_or_all_symbols(client: BinanceClient) -> None:
    ask = client.public
    assert ask("/api/v3/ticker/price", symbol="BTCUSDT").json() == {
        "symbol": "BTCUSDT",
        "price": "50000.00000000",
    }
    assert [row["symbol"] for row in ask("/api/v3/ticker/price", symbols='["BTCUSDT"]').json()] == ["BTCUSDT"]
    assert len(ask("/api/v3/ticker/price").json()) > 10
    day = ask("/api/v3/ticker/24hr", symbol="BTCUSDT").json()
    assert Decimal(day["lowPrice"]) <= Decimal(day["lastPrice"]) <= Decimal(day["highPrice"])
    assert "bidPrice" not in ask("/api/v3/ticker/24hr", symbol="BTCUSDT", type="MINI").json()
    assert code(ask("/api/v3/ticker/24hr", symbol="BTCUSDT", type="TINY")) == (400, -1139)
    assert Decimal(ask("/api/v3/avgPrice", symbol="BTCUSDT").json()["price"]) > 0


def test_candles_have_twelve_columns_and_close_a_millisecond_before_the_next(client: BinanceClient) -> None:
    rows = client.public("/api/v3/klines", symbol="BTCUSDT", interval="1h", limit=5).json()
    assert {len(row) for row in rows} == {12}
    assert [later[0] - row[6] for row, later in pairwise(rows)] == [1] * 4
    start = now_ms() - 3 * 3_600_000
    from_start = client.public(
        "/api/v3/klines", symbol="BTCUSDT", interval="1h", startTime=start, limit=2
    ).json()
    assert start <= from_start[0][0] < start + 3_600_000
    assert len(from_start) == 2


@pytest.mark.parametrize("interval", ["60m", "1W", "2d", ""])
def test_intervals_of_other_venues_are_refused(client: BinanceClient, interval: str) -> None:
    expected = -1120 if interval else -1105
    assert code(client.public("/api/v3/klines", symbol="BTCUSDT", interval=interval)) == (400, expected)


def test_public_trades_come_oldest_first_with_rising_numbers(client: BinanceClient) -> None:
    trades = client.public("/api/v3/trades", symbol="BTCUSDT", limit=5).json()
    assert [trade["id"] for trade in trades] == list(range(trades[0]["id"], trades[0]["id"] + 5))
    aggregate = client.public("/api/v3/aggTrades", symbol="BTCUSDT", limit=5).json()
    assert [row["a"] for row in aggregate] == [trade["id"] for trade in trades]
