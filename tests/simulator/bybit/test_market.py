"""Public data and the account's balances, as Bybit words them."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from tests.simulator.bybit.signed_client import BybitClient, code, result


def test_listings_tell_steps_bounds_and_whether_they_trade(client: BybitClient):
    rows = result(client.public("/v5/market/instruments-info", category="spot"))["list"]
    by_symbol = {row["symbol"]: row for row in rows}
    bitcoin = by_symbol["BTCUSDT"]
    assert (bitcoin["baseCoin"], bitcoin["quoteCoin"], bitcoin["status"]) == ("BTC", "USDT", "Trading")
    assert bitcoin["priceFilter"] == {"tickSize": "0.01"}
    sizes = bitcoin["lotSizeFilter"]
    assert (sizes["basePrecision"], sizes["quotePrecision"], sizes["minOrderAmt"]) == (
        "0.000001",
        "0.0000001",
        "5",
    )
    assert (sizes["maxLimitOrderQty"], sizes["maxMarketOrderQty"]) == ("40", "20")
    assert "MNTUSDT" in by_symbol
    assert "MXUSDT" not in by_symbol
    assert "PAUSEDUSDT" not in by_symbol
    named = client.public("/v5/market/instruments-info", category="spot", symbol="PAUSEDUSDT")
    assert result(named)["list"][0]["status"] == "PreLaunch"
    derivatives = client.public("/v5/market/instruments-info", category="linear")
    assert result(derivatives)["list"] == []


def test_a_ticker_agrees_with_the_book_and_the_order_limits(client: BybitClient, bybit):
    bybit.set_price("BTCUSDT", "48000")
    (ticker,) = result(client.public("/v5/market/tickers", category="spot", symbol="BTCUSDT"))["list"]
    assert ticker["lastPrice"] == "48000"
    book = result(client.public("/v5/market/orderbook", category="spot", symbol="BTCUSDT"))
    assert book["s"] == "BTCUSDT"
    assert book["b"] == [[ticker["bid1Price"], ticker["bid1Size"]]], "one level unless more are asked for"
    assert book["a"] == [[ticker["ask1Price"], ticker["ask1Size"]]]
    deep = result(client.public("/v5/market/orderbook", category="spot", symbol="BTCUSDT", limit=50))
    assert len(deep["a"]) == len(deep["b"]) == 50
    limits = result(client.public("/v5/market/price-limit", category="spot", symbol="BTCUSDT"))
    assert (limits["buyLmt"], limits["sellLmt"]) == ("52800", "43200")
    everything = result(client.public("/v5/market/tickers", category="spot"))["list"]
    assert {"BTCUSDT", "ETHBTC"} <= {row["symbol"] for row in everything}


def test_candles_are_texts_and_the_newest_comes_first(client: BybitClient):
    asked = {"category": "spot", "symbol": "BTCUSDT", "interval": "60"}
    rows = result(client.public("/v5/market/kline", **asked, limit=3))["list"]
    opens = [int(row[0]) for row in rows]
    assert [later - earlier for later, earlier in pairwise(opens)] == [3_600_000] * 2
    assert all(len(row) == 7 and all(isinstance(cell, str) for cell in row) for row in rows)
    (first,) = result(client.public("/v5/market/kline", **asked, limit=1, start=opens[-1]))["list"]
    assert (first[0], first[5]) == (rows[-1][0], rows[-1][5]), "with a start, from there on"
    assert code(client.public("/v5/market/kline", **asked | {"interval": "60m"})) == 10001


@pytest.mark.parametrize("path", ["tickers", "orderbook", "kline", "recent-trade"])
def test_a_symbol_nobody_lists_is_a_wrong_parameter(client: BybitClient, path: str):
    asked = {"category": "spot", "symbol": "NOSUCH", "interval": "1"}
    assert code(client.public(f"/v5/market/{path}", **asked)) == 10001


def test_prints_of_others_are_listed(client: BybitClient):
    rows = result(client.public("/v5/market/recent-trade", category="spot", symbol="BTCUSDT"))["list"]
    assert len(rows) == 60
    assert {row["side"] for row in rows} == {"Buy", "Sell"}
    assert len({row["execId"] for row in rows}) == 60


# -- balances ------------------------------------------------------------------------------------------------------


def test_a_wallet_tells_totals_and_locks_and_leaves_out_what_is_empty(client: BybitClient):
    client.place(qty="0.1", price="46000")
    assert (client.coin("USDT")["walletBalance"], client.coin("USDT")["locked"]) == ("100000", "4600")
    account = result(client.get("/v5/account/wallet-balance", accountType="UNIFIED"))["list"][0]
    assert account["accountType"] == "UNIFIED"
    assert [row["coin"] for row in account["coin"]] == ["MNT", "USDC", "USDT"]
    assert Decimal(account["totalEquity"]) == Decimal(110_000) + 100 * Decimal("1.2")
    assert client.coin("BTC")["walletBalance"] == "0"
    assert (account["coin"][0]["free"], account["coin"][0]["availableToWithdraw"]) == ("", "")
    assert code(client.get("/v5/account/wallet-balance", accountType="SPOT")) == 10001


def test_fee_rates_are_of_one_symbol_or_of_all(client: BybitClient, bybit):
    bybit.change_instrument("ETHUSDT", taker_rate="0.0018")
    (one,) = result(client.get("/v5/account/fee-rate", category="spot", symbol="ETHUSDT"))["list"]
    assert (one["takerFeeRate"], one["makerFeeRate"]) == ("0.0018", "0.001")
    assert len(result(client.get("/v5/account/fee-rate", category="spot"))["list"]) > 10


def test_deposits_and_withdrawals_are_listed_apart_and_by_page(client: BybitClient, bybit):
    for quantity in ("10", "20", "30"):
        bybit.deposit("USDT", quantity)
    bybit.withdraw("USDT", "5", fee="1")
    path = "/v5/asset/deposit/query-record"
    first = result(client.get(path, coin="USDT", limit=2))
    rest = result(client.get(path, coin="USDT", limit=2, cursor=first["nextPageCursor"]))
    assert [row["amount"] for row in first["rows"] + rest["rows"]] == ["30", "20", "10"]
    assert {row["status"] for row in first["rows"]} == {3}
    assert result(client.get(path, coin="BTC"))["rows"] == []
    (withdrawn,) = result(client.get("/v5/asset/withdraw/query-record"))["rows"]
    assert (withdrawn["amount"], withdrawn["withdrawFee"], withdrawn["status"]) == ("5", "1", "success")
    assert code(client.get(path, startTime=0, endTime=31 * 86_400_000)) == 10001
