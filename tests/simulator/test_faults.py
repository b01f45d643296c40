"""Every fault kind, for real: what the client sees, and what the ledger says really happened."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.simulator.mexc_client import SignedClient, refusal

ORDER = {"method": "POST", "path": "/api/v3/order"}
QUERY = {"method": "GET", "path": "/api/v3/order"}
FILLS = {"path": "/api/v3/myTrades"}


def place(client: SignedClient, name: str = "f1") -> httpx.Response:
    return client.place(quantity="0.01", price="40000", newClientOrderId=name)


def test_drop_before_closes_the_connection_and_nothing_happens(client: SignedClient, venue):
    venue.faults([{"match": ORDER, "kind": "drop_before", "count": 1}])
    with pytest.raises(httpx.RemoteProtocolError):
        place(client)
    assert venue.orders() == []
    entry = venue.requests(method="POST")[-1]
    assert (entry["status"], entry["fault"], entry["params"]["newClientOrderId"]) == (
        None,
        "drop_before",
        "f1",
    )
    assert place(client).status_code == 200


def test_drop_after_accepts_the_order_and_loses_the_answer(client: SignedClient, venue):
    venue.faults([{"match": ORDER, "kind": "drop_after", "count": 1}])
    with pytest.raises(httpx.RemoteProtocolError):
        place(client)
    assert [order["client_order_id"] for order in venue.orders()] == ["f1"]
    assert client.query("f1")["status"] == "NEW"


def test_latency_out_holds_the_answer_of_an_accepted_order(client: SignedClient, venue):
    venue.faults([{"match": ORDER, "kind": "latency", "seconds": 30}])
    client.http.timeout = 0.2
    with pytest.raises(httpx.ReadTimeout):
        place(client)
    assert len(venue.orders()) == 1


def test_latency_in_holds_the_request_until_its_window_has_closed(client: SignedClient, venue):
    venue.faults([{"match": ORDER, "kind": "latency", "seconds": 0.2, "where": "in"}])
    answer = client.place(quantity="0.01", price="40000", recvWindow=100)
    assert refusal(answer) == (400, 700003)
    assert venue.orders() == []


@pytest.mark.parametrize("is_processed", [False, True])
def test_http_status_with_and_without_the_order_accepted(client: SignedClient, venue, is_processed: bool):
    venue.faults(
        [
            {
                "match": ORDER,
                "kind": "http_status",
                "status": 502,
                "body": "<html>",
                "processed": is_processed,
                "count": 1,
            }
        ]
    )
    answer = place(client)
    assert (answer.status_code, answer.text) == (502, "<html>")
    assert len(venue.orders()) == int(is_processed)


def test_error_code_answers_with_status_code_and_message(client: SignedClient, venue):
    venue.faults(
        [{"match": ORDER, "kind": "error_code", "status": 400, "code": 30005, "msg": "Oversold", "count": 1}]
    )
    assert place(client).json() == {"code": 30005, "msg": "Oversold"}
    assert venue.orders() == []


def test_reject_refuses_the_placement_only(client: SignedClient, venue):
    venue.faults([{"match": {}, "kind": "reject", "code": 30016, "msg": "Trading disabled"}])
    assert refusal(place(client)) == (400, 30016)
    assert client.call("GET", "/api/v3/account").status_code == 200
    assert venue.orders() == []


@pytest.mark.parametrize("variant", ["html", "truncated", "wrong_types", "nan"])
def test_malformed_answers_of_accepted_orders(client: SignedClient, venue, variant: str):
    venue.faults([{"match": ORDER, "kind": "malformed", "variant": variant, "count": 1}])
    answer = place(client)
    assert answer.status_code == 200
    assert len(venue.orders()) == 1
    if variant in ("html", "truncated"):
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            answer.json()
    else:
        assert not isinstance(answer.json()["orderId"], str)


def test_a_partial_body_ends_in_the_middle(client: SignedClient, venue):
    venue.faults([{"match": ORDER, "kind": "malformed", "variant": "partial", "count": 1}])
    with pytest.raises(httpx.RemoteProtocolError):
        place(client)
    assert len(venue.orders()) == 1


def test_a_huge_body_and_a_body_of_ones_own(client: SignedClient, venue):
    venue.faults(
        [
            {"match": ORDER, "kind": "malformed", "variant": "huge", "count": 1},
            {"match": QUERY, "kind": "malformed", "body": "[]", "processed": False},
        ]
    )
    assert len(place(client).content) > 3_000_000
    assert client.call("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="f1").text == "[]"


def test_rate_limit_answers_429_once_with_retry_after(client: SignedClient, venue):
    venue.faults([{"match": ORDER, "kind": "rate_limit", "retry_after": 7, "count": 1}])
    answer = place(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert venue.orders() == []
    assert place(client).status_code == 200


def test_a_ban_closes_the_venue_for_the_address_until_faults_are_cleared(client: SignedClient, venue):
    venue.faults([{"match": ORDER, "kind": "ban", "retry_after": 60, "count": 1}])
    assert place(client).status_code == 418
    answer = client.public("/api/v3/time")
    assert answer.status_code == 418
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    venue.clear_faults()
    assert client.public("/api/v3/time").status_code == 200


def test_clock_skew_moves_the_venues_time_and_its_window(client: SignedClient, venue):
    venue.faults([{"match": {}, "kind": "clock_skew", "ms": 30_000}])
    assert client.public("/api/v3/time").json()["serverTime"] > time.time() * 1000 + 25_000
    assert refusal(place(client)) == (400, 700003)
    stamp = client.public("/api/v3/time").json()["serverTime"]
    assert client.place(quantity="0.01", price="40000", timestamp=stamp).status_code == 200


def test_a_duplicated_fill_is_listed_twice_but_happened_once(client: SignedClient, venue):
    client.place(type="MARKET", quantity="0.01")
    venue.faults([{"match": FILLS, "kind": "duplicate_fill"}])
    assert [fill["id"] for fill in client.fills()] == [venue.fills()[0]["fill_id"]] * 2
    assert len(venue.fills()) == 1


def test_a_delayed_fill_shows_in_the_order_before_it_is_listed(client: SignedClient, venue):
    venue.faults([{"match": FILLS, "kind": "delayed_fill", "seconds": 60}])
    client.place(type="MARKET", quantity="0.01", newClientOrderId="m1")
    assert client.query("m1")["status"] == "FILLED"
    assert client.fills() == []
    venue.clear_faults()
    assert len(client.fills()) == 1


def test_out_of_order_reverses_the_list(client: SignedClient, venue):
    client.place(type="MARKET", quantity="0.5")
    straight = client.fills()
    venue.faults([{"match": FILLS, "kind": "out_of_order"}])
    assert client.fills() == straight[::-1]
    assert len(straight) > 1


def test_read_lag_hides_a_new_order_from_every_query(client: SignedClient, venue):
    venue.faults([{"match": {"method": "GET"}, "kind": "not_found", "seconds": 60}])
    place(client)
    assert client.query("f1")["code"] == -2013
    assert client.call("GET", "/api/v3/openOrders").json() == []
    assert client.call("GET", "/api/v3/allOrders", symbol="BTCUSDT").json() == []
    venue.clear_faults()
    assert client.query("f1")["status"] == "NEW"


def test_maintenance_lasts_its_seconds_for_every_path(client: SignedClient, venue):
    venue.faults([{"match": ORDER, "kind": "maintenance", "seconds": 60, "count": 1}])
    assert place(client).status_code == 503
    assert client.public("/api/v3/time").status_code == 503
    venue.clear_faults()
    assert place(client).status_code == 200
    assert len(venue.orders()) == 1


def test_count_after_and_probability_choose_the_same_requests_every_time(client: SignedClient, venue):
    venue.faults(
        [{"match": {"path": "/api/v3/ping"}, "kind": "http_status", "status": 500, "after": 1, "count": 2}]
    )
    assert [client.public("/api/v3/ping").status_code for _ in range(5)] == [200, 500, 500, 200, 200]

    def draw() -> list[int]:
        venue.reset()
        venue.faults(
            [{"match": {"path": "/api/v3/p*"}, "kind": "http_status", "status": 500, "probability": 0.5}]
        )
        return [client.public("/api/v3/ping").status_code for _ in range(20)]

    first = draw()
    assert set(first) == {200, 500}
    assert draw() == first


def test_a_match_may_name_the_whole_path_or_another_venue(client: SignedClient, venue):
    venue.faults(
        [
            {"match": {"path": "/mexc/api/v3/ping"}, "kind": "http_status", "status": 500},
            {"match": {"venue": "elsewhere"}, "kind": "http_status", "status": 501},
        ]
    )
    assert client.public("/api/v3/ping").status_code == 500
    assert client.public("/api/v3/time").status_code == 200


def test_faults_are_listed_with_what_they_did_and_spent_ones_disappear(client: SignedClient, venue):
    venue.faults([{"match": ORDER, "kind": "reject", "count": 1}])
    place(client)
    place(client)
    assert venue.get("/faults")["faults"] == []
    venue.faults([{"match": ORDER, "kind": "reject", "count": 2}])
    place(client)
    assert venue.get("/faults")["faults"][0]["fired"] == 1
    venue.faults([])
    assert venue.get("/faults")["faults"] == []


WRONG_FAULTS = {
    "unknown kind": ({"kind": "earthquake"}, "no fault kind"),
    "request match of a stream kind": (
        {"kind": "stream_gap", "match": {"path": "/x"}},
        "channel, user, venue",
    ),
    "missing parameter": ({"kind": "latency"}, "missing"),
    "unknown parameter": ({"kind": "drop_after", "seconds": 1}, "unknown"),
    "probability above one": ({"kind": "drop_after", "probability": 2}, "0 to 1"),
    "negative count": ({"kind": "drop_after", "count": -1}, "whole number"),
    "text for a number": ({"kind": "latency", "seconds": "soon"}, "use a number"),
    "negative latency": ({"kind": "latency", "seconds": -1}, "0 or more"),
    "unknown match": ({"kind": "drop_after", "match": {"host": "x"}}, "match is"),
    "unknown variant": ({"kind": "malformed", "variant": "odd"}, "use one of"),
}


@pytest.mark.parametrize("name", WRONG_FAULTS)
def test_a_wrong_fault_is_refused_with_its_reason_and_leaves_the_old_ones(venue, name: str):
    venue.faults([{"match": {}, "kind": "reject"}])
    row, reason = WRONG_FAULTS[name]
    with pytest.raises(AssertionError, match=reason):
        venue.faults([row])
    assert len(venue.get("/faults")["faults"]) == 1
