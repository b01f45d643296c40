"""Request limits: per account and endpoint in the envelope, per address by HTTP 403, and the headers that warn."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from simulator.testing import SimulatedVenue
from tests.simulator.bybit.signed_client import BybitClient, code

WALLET = "/v5/account/wallet-balance"


@pytest.fixture
def limited(bybit: SimulatedVenue) -> Iterator[SimulatedVenue]:
    bybit.settings(limits_enabled=True)
    yield bybit
    bybit.settings(limits_enabled=False)


def test_every_signed_answer_tells_what_is_left(client: BybitClient, limited):
    answer = client.place(qty="0.01", price="46000")
    assert (answer.headers["X-Bapi-Limit"], answer.headers["X-Bapi-Limit-Status"]) == ("20", "19")
    assert int(answer.headers["X-Bapi-Limit-Reset-Timestamp"]) == answer.json()["time"]
    refused = client.place(qty="0.01", price="46000.001")
    assert refused.headers["X-Bapi-Limit"] == "20"
    assert "X-Bapi-Limit" not in client.public("/v5/market/time").headers


def test_an_endpoint_that_is_used_up_refuses_until_its_reset(client: BybitClient, limited):
    limited.settings(limits_scale="0.02")
    deposits = "/v5/asset/deposit/query-record"
    assert [code(client.get(deposits)) for _ in range(3)] == [0, 0, 10006]
    over = client.get(deposits)
    assert over.headers["X-Bapi-Limit-Status"] == "0"
    assert int(over.headers["X-Bapi-Limit-Reset-Timestamp"]) > over.json()["time"]
    assert code(client.get("/v5/asset/withdraw/query-record")) == 0, "each endpoint has its own share"


def test_an_order_over_the_limit_is_not_placed(client: BybitClient, limited):
    limited.settings(limits_scale="0.04")  # less than one a second
    assert code(client.place(qty="0.01", price="46000")) == 10006
    assert limited.orders() == []


def test_an_address_that_asks_too_often_is_shut_out_without_being_told_how_long(client: BybitClient, limited):
    assert client.public("/v5/market/time").status_code == 200
    limited.settings(limits_scale="0.001")  # less than one in the window
    answer = client.public("/v5/market/time")
    assert (answer.status_code, answer.text) == (403, "403, access too frequent")
    assert "Retry-After" not in answer.headers
    assert client.public("/v5/market/time").status_code == 403, "shut out, whatever it asks for now"
    limited.settings(limits_scale="1")
    assert client.public("/v5/market/time").status_code == 200


# -- ordered faults that answer instead ----------------------------------------------------------------------------

ORDER = {"venue": "bybit", "method": "POST", "path": "/v5/order/create"}
INSTEAD = {
    "rate_limit": ({"kind": "rate_limit", "retry_after": 3}, 200, 10006),
    "http_status": ({"kind": "http_status", "status": 504}, 504, 504),
    "error_code": ({"kind": "error_code", "status": 200, "code": 10016, "msg": "Server error."}, 200, 10016),
    "reject": ({"kind": "reject"}, 200, 170210),
    "another reject": ({"kind": "reject", "code": 170193, "msg": "too high"}, 200, 170193),
    "maintenance": ({"kind": "maintenance"}, 503, 10016),
}


@pytest.mark.parametrize("name", INSTEAD)
def test_a_fault_answers_in_the_venues_own_words(client: BybitClient, bybit, name: str):
    fault, status, expected = INSTEAD[name]
    bybit.faults([{"match": ORDER, **fault}])
    answer = client.place(qty="0.01", price="46000", orderLinkId="unlucky")
    assert (answer.status_code, answer.json()["retCode"]) == (status, expected)
    assert bybit.orders() == []


def test_a_ban_is_a_403_and_a_limit_names_its_end(client: BybitClient, bybit):
    bybit.faults([{"match": ORDER, "kind": "rate_limit", "retry_after": 3}])
    limited_until = client.place(qty="0.01", price="46000").headers["X-Bapi-Limit-Reset-Timestamp"]
    assert int(limited_until) > time.time() * 1_000
    bybit.faults([{"match": ORDER, "kind": "ban", "count": 1}])
    assert client.place(qty="0.01", price="46000").status_code == 403
    assert client.public("/v5/market/time").status_code == 403
    bybit.clear_faults()
    assert client.public("/v5/market/time").status_code == 200


@pytest.mark.parametrize("variant", ["html", "truncated", "wrong_types", "nan"])
def test_garbage_is_made_of_refusals_in_plain_text_as_well(client: BybitClient, bybit, variant: str):
    bybit.faults([{"match": {"path": WALLET}, "kind": "malformed", "variant": variant}])
    url = f"{client.base_url}{WALLET}?accountType=UNIFIED"
    answer = client.http.request("GET", url, headers=client.headers(b"accountType=UNIFIED"), json={})
    assert answer.status_code == 200
    assert answer.text != "a GET request has no body"


def test_an_order_may_be_placed_although_the_answer_says_otherwise(client: BybitClient, bybit):
    bybit.faults(
        [{"match": ORDER, "kind": "http_status", "status": 502, "body": "<html>", "processed": True}]
    )
    assert client.place(qty="0.01", price="46000", orderLinkId="there").status_code == 502
    assert client.order("there")["orderStatus"] == "New"
    (seen,) = bybit.requests(method="POST", path="/v5/order/create")
    assert (seen["params"]["orderLinkId"], seen["params"]["qty"]) == ("there", "0.01")
    assert "sign" not in str(seen).lower()
