"""Who is heard: keys, the clock window, signatures over what was sent, rights."""

from __future__ import annotations

import httpx
import pytest

from simulator.bybit.auth import sign
from tests.simulator.bybit.signed_client import BybitClient, code, result

WALLET = "/v5/account/wallet-balance"
QUERY = "accountType=UNIFIED"


@pytest.mark.parametrize(
    ("sent", "signature"),
    [
        (
            b"category=linear&symbol=BTCUSDT",
            "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7",
        ),
        (
            b'{"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "test-order-1"}',
            "2df4a0603d69c08d5dea29ba85b46eb7db64ce9e9ebd34a7802a3d69700cb2a1",
        ),
    ],
)
def test_published_signatures_come_out(sent: bytes, signature: str):
    assert sign("test_secret", b"1700000000000test_api_key5000" + sent) == signature


def ask(client: BybitClient, query: str = QUERY, **headers: str | None) -> httpx.Response:
    given = {**client.headers(query.encode()), **headers}
    sent = {name: content for name, content in given.items() if content is not None}
    return client.http.get(f"{client.base_url}{WALLET}?{query}", headers=sent)


def test_the_query_is_signed_as_it_was_sent(client: BybitClient):
    escaped = "accountType=UNIFIED&coin=USDT%2CBTC"
    assert ask(client, escaped).json()["retCode"] == 0
    signed_otherwise = client.headers(b"accountType=UNIFIED&coin=USDT,BTC")
    refused = client.http.get(f"{client.base_url}{WALLET}?{escaped}", headers=signed_otherwise)
    assert code(refused) == 10004


def test_a_body_is_signed_byte_for_byte(client: BybitClient):
    body = b'{"category":"spot"}'
    headers = client.headers(b'{"category": "spot"}')
    answer = client.http.post(f"{client.base_url}/v5/order/cancel-all", content=body, headers=headers)
    assert code(answer) == 10004


def test_an_unknown_key_a_wrong_secret_and_missing_headers_are_told_apart(client: BybitClient):
    assert code(ask(client, **{"X-BAPI-API-KEY": "nobody"})) == 10003
    assert code(ask(client, **{"X-BAPI-SIGN": "0" * 64})) == 10004
    assert ask(client, **{"X-BAPI-SIGN": None}).status_code == 401


@pytest.mark.parametrize(
    ("ahead_ms", "window", "expected"),
    [
        (0, "5000", 0),
        (900, "5000", 0),
        (3_000, "60000", 10002),
        (-6_000, "5000", 10002),
        (-6_000, "20000", 0),
        (0, "wide", 10001),
    ],
)
def test_a_request_counts_within_its_window(client: BybitClient, ahead_ms: int, window: str, expected: int):
    headers = client.headers(QUERY.encode(), ahead_ms=ahead_ms, window=window)
    answer = client.http.get(f"{client.base_url}{WALLET}?{QUERY}", headers=headers)
    assert code(answer) == expected


def test_a_venue_whose_clock_is_off_says_so(client: BybitClient, bybit):
    bybit.faults([{"match": {"venue": "bybit"}, "kind": "clock_skew", "ms": 60_000}])
    assert code(ask(client)) == 10002
    at_home = client.public("/v5/market/time").json()
    assert int(at_home["result"]["timeSecond"]) * 1_000 - at_home["time"] <= 0
    assert int(at_home["result"]["timeNano"]) // 1_000_000 == at_home["time"]


def test_a_read_only_key_reads_and_places_nothing(bybit):
    bybit.add_user("reader", "read-key", "read-secret", permissions=["SpotTrade", "ReadOnly"])
    reader = BybitClient(bybit.base_url, "read-key", "read-secret")
    assert reader.realtime() == []
    assert code(reader.place(qty="0.01", price="46000")) == 10005
    assert bybit.orders() == []
    reader.close()


def test_a_key_without_the_right_to_trade_sees_no_orders(bybit):
    bybit.add_user("keeper", "keep-key", "keep-secret", permissions=["AccountTransfer"])
    keeper = BybitClient(bybit.base_url, "keep-key", "keep-secret")
    assert code(keeper.get("/v5/order/realtime", category="spot")) == 10005
    assert result(keeper.get("/v5/user/query-api"))["permissions"]["Wallet"] == ["AccountTransfer"]
    keeper.close()


def test_the_key_tells_what_it_may_and_where_from(client: BybitClient, bybit):
    unbound = result(client.get("/v5/user/query-api"))
    assert (unbound["readOnly"], unbound["uta"], unbound["ips"]) == (0, 1, ["*"])
    assert unbound["permissions"]["Spot"] == ["SpotTrade"]
    assert unbound["permissions"]["Wallet"] == []
    assert unbound["deadlineDay"] > 0
    bybit.add_user(
        "trader", bybit.key, bybit.secret, permissions=["SpotTrade", "Withdraw"], addresses=["203.0.113.7"]
    )
    bound = result(client.get("/v5/user/query-api"))
    assert (bound["ips"], bound["deadlineDay"]) == (["203.0.113.7"], -2)
    assert bound["permissions"]["Wallet"] == ["Withdraw"]


def test_a_get_with_a_body_an_unknown_path_and_a_wrong_method_are_refused_by_status(client: BybitClient):
    url = f"{client.base_url}{WALLET}?{QUERY}"
    assert client.http.request("GET", url, headers=client.headers(QUERY.encode()), json={}).status_code == 403
    assert client.public("/v5/market/nothing").status_code == 404
    assert client.http.post(f"{client.base_url}/v5/market/time").status_code == 400
    assert client.public("/v5/market/tickers", category="stocks").status_code == 404
