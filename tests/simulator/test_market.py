"""MEXC's public endpoints: shapes, lists, and a market that is the same for the same seed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from simulator.testing import running_venue
from tests.simulator.mexc_client import SignedClient, refusal


def test_time_and_ping(client: SignedClient):
    assert client.public("/api/v3/ping").json() == {}
    assert isinstance(client.public("/api/v3/time").json()["serverTime"], int)


def test_exchange_information_for_all_one_or_some_symbols(client: SignedClient):
    def symbols(**parameters: str) -> list[str]:
        return [
            row["symbol"] for row in client.public("/api/v3/exchangeInfo", **parameters).json()["symbols"]
        ]

    assert len(symbols()) > 10
    assert symbols(symbol="BTCUSDT") == ["BTCUSDT"]
    assert symbols(symbols="BTCUSDT,ETHUSDC") == ["BTCUSDT", "ETHUSDC"]
    assert refusal(client.public("/api/v3/exchangeInfo", symbol="NOSUCH")) == (400, -1121)


def test_a_listing_has_the_fields_and_types_of_the_venue(client: SignedClient):
    info = client.public("/api/v3/exchangeInfo").json()
    assert info["rateLimits"] == []
    rows = {row["symbol"]: row for row in info["symbols"]}
    assert rows["BTCUSDT"]["status"] == "1"
    assert rows["PAUSEDUSDT"]["status"] == "2"
    assert rows["NOAPIUSDT"]["isSpotTradingAllowed"] is False
    assert rows["SELLONLYUSDT"]["tradeSideType"] == 3
    assert rows["ETHUSDC"]["orderTypes"] == ["LIMIT", "LIMIT_MAKER"]
    assert rows["SOLUSDT"]["baseSizePrecision"] == "0"
    assert rows["PEPEUSDT"]["quotePrecision"] == 10
    assert rows["BTCUSDT"]["filters"][0]["filterType"] == "PERCENT_PRICE_BY_SIDE"


def test_the_book_is_sorted_uncrossed_and_agrees_with_the_tickers(client: SignedClient):
    book = client.public("/api/v3/depth", symbol="BTCUSDT", limit=20).json()
    bids, asks = ([Decimal(price) for price, _ in book[side]] for side in ("bids", "asks"))
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]
    assert len(bids) == len(asks) == 20
    top = client.public("/api/v3/ticker/bookTicker", symbol="BTCUSDT").json()
    assert (top["bidPrice"], top["askPrice"]) == (book["bids"][0][0], book["asks"][0][0])
    assert (
        bids[0] <= Decimal(client.public("/api/v3/ticker/price", symbol="BTCUSDT").json()["price"]) <= asks[0]
    )


def test_a_resting_order_stands_in_the_book(client: SignedClient):
    client.place(quantity="0.5", price="49999.995".rstrip("5"), newClientOrderId="mine")
    before = client.public("/api/v3/depth", symbol="BTCUSDT", limit=1).json()["bids"][0]
    client.cancel("mine")
    after = client.public("/api/v3/depth", symbol="BTCUSDT", limit=1).json()["bids"][0]
    assert before[0] == after[0] == "49999.99"
    assert Decimal(before[1]) - Decimal(after[1]) == Decimal("0.5")


def test_a_pinned_price_shows_everywhere_and_is_released_again(client: SignedClient, venue):
    venue.set_price("BTCUSDT", "61234.5")
    assert client.public("/api/v3/ticker/price", symbol="BTCUSDT").json()["price"] == "61234.5"
    assert client.public("/api/v3/ticker/24hr", symbol="BTCUSDT").json()["lastPrice"] == "61234.5"
    assert client.public("/api/v3/avgPrice", symbol="BTCUSDT").json() == {"mins": 5, "price": "61234.5"}
    venue.advance(100)
    assert client.public("/api/v3/ticker/price", symbol="BTCUSDT").json()["price"] == "61234.5"
    venue.release_price("BTCUSDT")
    assert client.public("/api/v3/ticker/price", symbol="BTCUSDT").json()["price"] != "61234.5"


@pytest.mark.parametrize("path", ["/api/v3/ticker/price", "/api/v3/ticker/24hr", "/api/v3/ticker/bookTicker"])
def test_tickers_are_an_object_for_one_symbol_and_a_list_for_all(client: SignedClient, path: str):
    assert client.public(path, symbol="ETHUSDT").json()["symbol"] == "ETHUSDT"
    assert len(client.public(path).json()) > 10


@pytest.mark.parametrize("interval", ["1m", "60m", "1d", "1W"])
def test_candles_have_eight_columns_and_enclose_their_prices(client: SignedClient, interval: str):
    candles = client.public("/api/v3/klines", symbol="BTCUSDT", interval=interval, limit=5).json()
    assert len(candles) == 5
    for opens, first, high, low, last, volume, closes, turnover in candles:
        assert opens < closes
        assert (
            Decimal(low)
            <= min(Decimal(first), Decimal(last))
            <= max(Decimal(first), Decimal(last))
            <= Decimal(high)
        )
        assert Decimal(volume) >= 0
        assert Decimal(turnover) >= 0


def test_an_unknown_interval_is_refused(client: SignedClient):
    assert refusal(client.public("/api/v3/klines", symbol="BTCUSDT", interval="1h")) == (400, 33333)


def test_the_tape_and_the_default_symbols(client: SignedClient):
    prints = client.public("/api/v3/trades", symbol="BTCUSDT", limit=3).json()
    assert [row["id"] for row in prints] == [None] * 3
    assert {row["tradeType"] for row in prints} <= {"ASK", "BID"}
    assert len(client.public("/api/v3/aggTrades", symbol="BTCUSDT", limit=3).json()) == 3
    assert "NOAPIUSDT" not in client.public("/api/v3/defaultSymbols").json()["data"]


def test_fee_rates_are_bare_numbers_with_eighteen_decimals(client: SignedClient):
    text = client.call("GET", "/api/v3/tradeFee", symbol="BTCUSDT").text
    assert '"makerCommission":0E-18,"takerCommission":0.000500000000000000' in text


def test_one_seed_makes_one_market_and_another_seed_another():
    def walk(seed: int) -> list[str]:
        with running_venue(seed=seed, tick_ms=0) as venue:
            prices = []
            for _ in range(5):
                venue.advance(50)
                prices += [row["price"] for row in venue.get("/prices")["prices"]]
            return prices

    assert walk(1) == walk(1)
    assert walk(1) != walk(2)
