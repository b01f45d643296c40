"""MEXC's request checks, against the documented vectors and over HTTP."""

from __future__ import annotations

import time

import pytest

from simulator.mexc.auth import sign, signed_text
from tests.simulator.mexc_client import SignedClient, refusal

DOCUMENTED_SECRET = "45d0b3c26f2644f19bfb98b07741b2f5"
QUERY = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=11&recvWindow=5000&timestamp=1644489390087"
SIGNATURE = "fd3e4e8543c5188531eb7279d68ae7d26a573d0fc5ab0d18eb692451654d837a"
BATCH = (
    "batchOrders=%5B%7B%22symbol%22%3A%22BTCUSDT%22%2C%22side%22%3A%22BUY%22%2C%22type%22%3A%22LIMIT%22%2C%22price"
    "%22%3A%2240000%22%2C%22quantity%22%3A%220.0002%22%7D%5D&recvWindow=5000&timestamp=1644489390087"
)


def test_documented_vector_in_the_query():
    assert sign(DOCUMENTED_SECRET, signed_text(QUERY, "")) == SIGNATURE


def test_the_signature_itself_is_not_signed_wherever_it_stands():
    assert signed_text(f"{QUERY}&signature=abc", "") == QUERY
    assert signed_text(f"signature=abc&{QUERY}", "") == QUERY


def test_documented_vector_of_query_and_body_joined_without_ampersand():
    head, tail = QUERY.split("&quantity=")
    signature = sign(DOCUMENTED_SECRET, signed_text(head, "quantity=" + tail + "&signature=x"))
    assert signature == "d1a676610ceb39174c8039b3f548357994b2a34139a8addd33baadba65684592"


def test_escapes_count_in_upper_case():
    expected = "06f3d5fb3f52e5e4918f3880ab0b13cd8970949eadff2b8598a2297d07e78e09"
    assert sign(DOCUMENTED_SECRET, signed_text(BATCH, "")) == expected
    assert sign(DOCUMENTED_SECRET, signed_text(BATCH.replace("%5B", "%5b"), "")) == expected


def test_a_key_is_needed(client: SignedClient):
    answer = client.http.get(client.signed_url("/api/v3/account", {}))
    assert refusal(answer) == (400, 400)
    assert answer.json()["msg"] == "api key required"


def test_an_unknown_key_is_refused(client: SignedClient):
    client.key = "mx0nobody"
    assert refusal(client.call("GET", "/api/v3/account")) == (400, 10072)


def test_a_wrong_secret_is_refused(client: SignedClient):
    client.secret = "other"
    assert refusal(client.call("GET", "/api/v3/account")) == (400, 700002)


def test_an_upper_case_signature_is_refused(client: SignedClient):
    head, _, signature = client.signed_url("/api/v3/account", {}).rpartition("=")
    answer = client.http.get(f"{head}={signature.upper()}", headers={"X-MEXC-APIKEY": client.key})
    assert refusal(answer) == (400, 700002)


def test_a_changed_parameter_breaks_the_signature_and_places_nothing(client: SignedClient, venue):
    url = client.signed_url(
        "/api/v3/order", {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "10"}
    )
    headers = {"X-MEXC-APIKEY": client.key, "Content-Type": "application/json"}
    answer = client.http.post(url.replace("quoteOrderQty=10", "quoteOrderQty=1000"), headers=headers)
    assert refusal(answer) == (400, 700002)
    assert venue.orders() == []


@pytest.mark.parametrize(
    ("offset_ms", "window", "is_accepted"),
    [
        (0, 5_000, True),
        (500, 5_000, True),
        (3_000, 5_000, False),
        (3_000, 60_000, False),
        (-6_000, 5_000, False),
        (-6_000, 60_000, True),
    ],
)
def test_the_clock_window(client: SignedClient, offset_ms: int, window: int, is_accepted: bool):
    stamp = int(time.time() * 1000) + offset_ms
    answer = client.call("GET", "/api/v3/uid", timestamp=stamp, recvWindow=window)
    if is_accepted:
        assert answer.status_code == 200
    else:
        assert refusal(answer) == (400, 700003)


def test_a_window_above_a_minute_is_refused(client: SignedClient):
    assert refusal(client.call("GET", "/api/v3/uid", recvWindow=60_001)) == (400, 700005)


@pytest.mark.parametrize("stamp", ["", "soon", "-5", "1.5"])
def test_a_timestamp_must_be_a_whole_number(client: SignedClient, stamp: str):
    assert refusal(client.call("GET", "/api/v3/uid", timestamp=stamp)) == (400, 700004)


def test_an_unsigned_call_misses_its_signature(client: SignedClient):
    answer = client.http.get(
        f"{client.base_url}/api/v3/uid", params={"timestamp": 1}, headers={"X-MEXC-APIKEY": client.key}
    )
    assert refusal(answer) == (400, 700004)


@pytest.mark.parametrize("content_type", [None, "text/plain"])
def test_a_post_needs_a_usable_content_type(client: SignedClient, venue, content_type: str | None):
    url = client.signed_url(
        "/api/v3/order", {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "10"}
    )
    headers = {"X-MEXC-APIKEY": client.key} | ({"Content-Type": content_type} if content_type else {})
    assert refusal(client.http.post(url, headers=headers)) == (400, 700013)
    assert venue.orders() == []


def test_parameters_in_a_form_body_count_and_the_query_wins(client: SignedClient):
    stamp = int(time.time() * 1000)
    query, body = "symbol=ETHUSDT&side=BUY", f"symbol=BTCUSDT&type=MARKET&quoteOrderQty=10&timestamp={stamp}"
    signature = sign(client.secret, query + body)
    answer = client.http.post(
        f"{client.base_url}/api/v3/order?{query}",
        content=f"{body}&signature={signature}",
        headers={"X-MEXC-APIKEY": client.key, "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.json()["symbol"] == "ETHUSDT"


def test_a_right_that_the_key_lacks_closes_the_endpoint(client: SignedClient, venue):
    venue.add_user("reader", "mx0reader", "reader-secret", permissions=["SPOT_ACCOUNT_READ"])
    reader = SignedClient(venue.base_url, "mx0reader", "reader-secret")
    assert reader.call("GET", "/api/v3/account").status_code == 200
    assert refusal(reader.place(quantity="1", price="50000")) == (403, 700007)
    info = reader.call("GET", "/api/v3/apiKeyInfo", accessKey="mx0reader").json()
    assert info["permissions"] == "SPOT_ACCOUNT_READ"
    reader.close()


def test_key_info_is_given_for_the_callers_own_key_only(client: SignedClient):
    assert client.call("GET", "/api/v3/apiKeyInfo", accessKey=client.key).json()["status"] == "VALID"
    assert refusal(client.call("GET", "/api/v3/apiKeyInfo", accessKey="mx0other")) == (400, 33333)


def test_unknown_paths_and_methods_are_answered_in_json(client: SignedClient):
    assert refusal(client.public("/api/v3/nothing")) == (404, 404)
    assert refusal(client.http.put(f"{client.base_url}/api/v3/order")) == (405, 405)


def test_the_journal_shows_parameters_but_no_signature_and_no_key(client: SignedClient, venue):
    client.call("GET", "/api/v3/apiKeyInfo", accessKey=client.key)
    entry = venue.requests(path="/api/v3/apiKeyInfo")[-1]
    assert set(entry["params"]) == {"timestamp"}
    assert client.secret not in str(venue.requests())
