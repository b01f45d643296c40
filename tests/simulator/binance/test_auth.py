"""Binance's request checks, against the documented vectors and over HTTP."""

from __future__ import annotations

import pytest

from simulator.binance.auth import sign, signed_text, socket_text
from tests.simulator.binance.client import BinanceClient, code, now_ms, refusal

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
ORDER = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
DOCUMENTED = {
    f"symbol=LTCBTC&{ORDER}": "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
    f"symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&{ORDER}": (
        "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3"
    ),
}
ACCOUNT = "/api/v3/account"


@pytest.mark.parametrize("payload", DOCUMENTED)
def test_the_documented_requests_have_the_documented_signatures(payload: str) -> None:
    signature = DOCUMENTED[payload]
    assert sign(SECRET, signed_text(f"{payload}&signature={signature}", "")) == signature
    query, body = payload.split("&side")
    assert signed_text(query, f"side{body}&signature={signature}") == payload.replace("&side", "side")


def test_the_documented_request_by_websocket_has_the_documented_signature() -> None:
    parameters = {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.01000000",
        "price": "52000.00",
        "recvWindow": "100",
        "timestamp": "1645423376532",
        "apiKey": KEY,
        "signature": "left out",
    }
    expected = "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"
    assert sign(SECRET, socket_text(parameters)) == expected


def test_keys_that_are_missing_or_unknown_are_refused(client: BinanceClient) -> None:
    assert client.call("GET", ACCOUNT).status_code == 200
    client.key = "nobody"
    assert refusal(client.call("GET", ACCOUNT)) == (
        401,
        -2015,
        "Invalid API-key, IP, or permissions for action.",
    )
    client.key = ""
    assert code(client.call("GET", ACCOUNT)) == (401, -2014)


def test_a_signature_counts_in_either_case_and_only_over_what_was_sent(
    client: BinanceClient, binance
) -> None:
    head, _, signature = client.signed_query({}).rpartition("=")
    assert client.send("GET", ACCOUNT, f"{head}={signature.upper()}").status_code == 200
    query = client.signed_query({"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "10"})
    changed = query.replace("quoteOrderQty=10", "quoteOrderQty=1000")
    assert refusal(client.send("POST", "/api/v3/order", changed)) == (
        400,
        -1022,
        "Signature for this request is not valid.",
    )
    client.secret = "other"
    assert code(client.call("GET", ACCOUNT)) == (400, -1022)
    assert binance.orders() == []


def test_who_signs_before_encoding_is_refused(client: BinanceClient) -> None:
    plain = f"symbol=币测USDT&timestamp={now_ms()}"
    encoded = plain.replace("币测", "%E5%B8%81%E6%B5%8B")
    wrong = client.send("GET", "/api/v3/openOrders", f"{encoded}&signature={sign(client.secret, plain)}")
    right = client.send("GET", "/api/v3/openOrders", f"{encoded}&signature={sign(client.secret, encoded)}")
    assert code(wrong) == (400, -1022)
    assert right.json() == []


def test_a_form_body_is_signed_with_the_query_and_the_query_wins(client: BinanceClient, binance) -> None:
    query, body = (
        "symbol=ETHUSDT&side=BUY",
        f"symbol=BTCUSDT&type=MARKET&quoteOrderQty=10&timestamp={now_ms()}",
    )
    signed = f"{body}&signature={sign(client.secret, query + body)}"
    assert client.send("POST", "/api/v3/order", query, signed).json()["symbol"] == "ETHUSDT"
    document = f'{{"timestamp":{now_ms()}}}'
    assert code(client.send("POST", "/api/v3/order", query, document)) == (400, -1102)
    assert len(binance.orders()) == 1


AHEAD = "Timestamp for this request was 1000ms ahead of the server's time."
LATE = "Timestamp for this request is outside of the recvWindow."


@pytest.mark.parametrize(
    ("offset_ms", "window", "expected"),
    [
        (500, "5000", None),
        (3_000, "60000", AHEAD),
        (-6_000, "5000", LATE),
        (-6_000, "60000", None),
        (-6_000, "6999.125", None),
    ],
)
def test_the_clock_window(client: BinanceClient, offset_ms: int, window: str, expected: str | None) -> None:
    answer = client.call("GET", ACCOUNT, timestamp=now_ms() + offset_ms, recvWindow=window)
    assert (answer.json().get("code"), answer.json().get("msg")) == (-1021 if expected else None, expected)


def test_times_may_be_in_microseconds(client: BinanceClient) -> None:
    assert client.call("GET", ACCOUNT, timestamp=now_ms() * 1000).status_code == 200
    assert code(client.call("GET", ACCOUNT, timestamp=(now_ms() - 7_000) * 1000)) == (400, -1021)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"recvWindow": "60001"}, -1102),
        ({"recvWindow": "5000.1234"}, -1100),
        ({"timestamp": ""}, -1102),
        ({"timestamp": "soon"}, -1100),
    ],
)
def test_unusable_times_are_refused(client: BinanceClient, parameters: dict[str, str], expected: int) -> None:
    assert code(client.call("GET", ACCOUNT, **parameters)) == (400, expected)


def test_what_is_missing_doubled_empty_or_read_by_nobody_is_refused(client: BinanceClient) -> None:
    stamp = f"timestamp={now_ms()}"
    assert code(client.send("GET", ACCOUNT, stamp)) == (400, -1102)
    twice = f"{stamp}&{stamp}"
    assert code(client.send("GET", ACCOUNT, f"{twice}&signature={sign(client.secret, twice)}")) == (
        400,
        -1101,
    )
    assert refusal(client.call("GET", ACCOUNT, unheard="1")) == (
        400,
        -1104,
        "Not all sent parameters were read; read '2' parameter(s) but was sent '3'.",
    )
    assert code(client.public("/api/v3/time", unheard="1")) == (400, -1101)
    assert code(client.call("GET", "/api/v3/openOrders", symbol="")) == (400, -1105)


def test_a_right_that_the_key_lacks_closes_what_needs_it(client: BinanceClient, binance) -> None:
    binance.add_user("reader", "readerkey", "reader-secret", permissions=["enableReading"])
    reader = BinanceClient(binance, "readerkey", "reader-secret")
    assert reader.call("GET", ACCOUNT).status_code == 200
    assert code(reader.place()) == (401, -2015)
    rights = reader.get("/sapi/v1/account/apiRestrictions")
    assert (rights["enableReading"], rights["enableSpotAndMarginTrading"]) == (True, False)
    reader.close()


def test_unknown_paths_are_no_json_and_listen_keys_are_gone(client: BinanceClient) -> None:
    assert client.public("/api/v3/nothing").status_code == 404
    assert client.http.put(f"{client.base_url}/api/v3/order").status_code == 405
    assert client.call("POST", "/api/v3/userDataStream").status_code == 404


def test_the_journal_shows_neither_signature_nor_key(client: BinanceClient, binance) -> None:
    client.call("GET", ACCOUNT, recvWindow=4000)
    entry = binance.requests(path=ACCOUNT)[-1]
    assert (set(entry["params"]), entry["user"]) == ({"timestamp", "recvWindow"}, "trader")
    assert client.secret not in str(binance.requests())
