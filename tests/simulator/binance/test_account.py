"""Balances, rates, rights, deposits and withdrawals at the simulated Binance."""

from __future__ import annotations

from tests.simulator.binance.client import BinanceClient, code, now_ms

DEPOSITS, WITHDRAWALS = "/sapi/v1/capital/deposit/hisrec", "/sapi/v1/capital/withdraw/history"
DAY = 86_400_000


def test_the_account_lists_every_asset_or_those_that_are_held(client: BinanceClient) -> None:
    client.rest("locks")
    account = client.get("/api/v3/account")
    rows = {row["asset"]: row for row in account["balances"]}
    assert rows["USDT"] == {"asset": "USDT", "free": "99600.00000000", "locked": "400.00000000"}
    assert rows["DOGE"]["free"] == "0.00000000"
    assert account["commissionRates"]["taker"] == "0.00100000"
    held = client.get("/api/v3/account", omitZeroBalances="true")["balances"]
    assert [row["asset"] for row in held] == ["BNB", "USDC", "USDT"]


def test_rates_differ_by_symbol(client: BinanceClient, binance) -> None:
    rates = client.get("/api/v3/account/commission", symbol="BTCUSDC")
    assert rates["standardCommission"]["maker"] == "0.00000000"
    assert rates["standardCommission"]["taker"] == "0.00100000"
    assert rates["discount"] == {
        "enabledForAccount": False,
        "enabledForSymbol": True,
        "discountAsset": "BNB",
        "discount": "0.75000000",
    }
    fees = client.get("/sapi/v1/asset/tradeFee", symbol="BTCUSDC")
    assert fees == [{"symbol": "BTCUSDC", "makerCommission": "0.00000000", "takerCommission": "0.00100000"}]


def test_a_keys_rights_are_told_as_they_are(client: BinanceClient, binance) -> None:
    binance.add_user(
        "rich",
        "richkey",
        "rich-secret",
        permissions=["enableReading", "enableSpotAndMarginTrading", "enableWithdrawals"],
        addresses=["192.0.2.1"],
    )
    rich = BinanceClient(binance, "richkey", "rich-secret")
    told, usual = rich.get("/sapi/v1/account/apiRestrictions"), client.get("/sapi/v1/account/apiRestrictions")
    assert (told["enableWithdrawals"], told["ipRestrict"]) == (True, True)
    assert (usual["enableWithdrawals"], usual["ipRestrict"]) == (False, False)
    rich.close()


def test_deposits_and_withdrawals_are_listed_newest_first(client: BinanceClient, binance) -> None:
    binance.deposit("USDT", "5")
    binance.deposit("BTC", "0.5")
    binance.withdraw("USDT", "7", fee="1")
    assert [(row["coin"], row["amount"], row["status"]) for row in client.get(DEPOSITS)] == [
        ("BTC", "0.50000000", 1),
        ("USDT", "5.00000000", 1),
    ]
    (taken,) = client.get(WITHDRAWALS)
    assert (taken["amount"], taken["transactionFee"], taken["status"]) == ("7.00000000", "1.00000000", 6)
    assert len(taken["applyTime"]) == len("2026-01-01 00:00:00")
    assert [row["coin"] for row in client.get(DEPOSITS, coin="USDT")] == ["USDT"]
    assert [row["coin"] for row in client.get(DEPOSITS, offset=1, limit=1)] == ["USDT"]
    assert client.get(DEPOSITS, endTime=now_ms() - DAY) == []
    wide = client.call("GET", DEPOSITS, startTime=now_ms() - 91 * DAY)
    assert code(wide) == (400, -1127)
