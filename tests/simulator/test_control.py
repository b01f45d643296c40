"""The control interface: the shapes that checks rely on, and clear refusals that change nothing."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tests.simulator.mexc_client import SignedClient


def test_orders_and_fills_have_the_promised_fields(client: SignedClient, venue):
    client.place(type="MARKET", quoteOrderQty="100", newClientOrderId="m1")
    order, fill = venue.orders()[0], venue.fills()[0]
    promised = {
        "venue",
        "order_id",
        "client_order_id",
        "symbol",
        "side",
        "type",
        "price",
        "quantity",
        "filled",
        "status",
        "received_at",
    }
    assert promised <= set(order)
    assert {
        "fill_id",
        "order_id",
        "client_order_id",
        "symbol",
        "side",
        "price",
        "quantity",
        "fee",
        "fee_asset",
        "at",
    } <= set(fill)
    assert (order["venue"], order["client_order_id"], fill["client_order_id"]) == ("mexc", "m1", "m1")
    assert datetime.fromisoformat(order["received_at"]).utcoffset() is not None


def test_every_request_is_recorded_with_both_clocks(client: SignedClient, venue):
    client.public("/api/v3/ping")
    client.place(quantity="0.01", price="40000", newClientOrderId="l1")
    first, second = venue.requests()
    assert (first["venue"], first["method"], first["path"], first["status"]) == (
        "mexc",
        "GET",
        "/api/v3/ping",
        200,
    )
    assert second["params"]["newClientOrderId"] == "l1"
    assert "signature" not in second["params"]
    assert first["at"]["monotonic"] < second["at"]["monotonic"]
    assert datetime.fromisoformat(second["at"]["wall"]) >= datetime.fromisoformat(first["at"]["wall"])
    assert "fault" not in second


def test_the_journal_can_be_read_on_from_where_one_was(client: SignedClient, venue):
    for _ in range(3):
        client.public("/api/v3/ping")
    page = venue.get("/requests?limit=2")
    assert len(page["requests"]) == 2
    rest = venue.get(f"/requests?since={page['next']}")
    assert len(rest["requests"]) == 1
    assert rest["totals"]["by_path"] == {"GET /api/v3/ping": 3}


def test_balances_can_be_set_deposited_and_withdrawn(client: SignedClient, venue):
    venue.send("POST", "/balances", {"balances": {"BTC": "2", "USDT": "500"}})
    venue.send("POST", "/balances", {"asset": "USDT", "deposit": "100"})
    venue.send("POST", "/balances", {"asset": "USDT", "withdraw": "50.5"})
    assert (client.free("BTC"), client.free("USDT")) == ("2", "549.5")
    assert venue.book_differences() == []


def test_locked_funds_cannot_be_withdrawn(client: SignedClient, venue):
    client.place(quantity="1", price="40000")
    with pytest.raises(AssertionError, match="locked by open orders"):
        venue.send("POST", "/balances", {"asset": "USDT", "withdraw": "90000"})
    assert venue.balances()["USDT"]["total"] == "100000"


def test_a_reset_restores_funds_prices_settings_and_forgets_the_rest(client: SignedClient, venue):
    venue.set_price("BTCUSDT", "60000")
    venue.settings(fee_asset="base")
    venue.faults([{"match": {}, "kind": "reject"}])
    venue.set_balance("USDT", "1")
    venue.reset()
    assert venue.balances()["USDT"]["free"] == "100000"
    assert venue.get("/settings")["mexc"]["fee_asset"] == "quote"
    assert venue.get("/faults")["faults"] == []
    assert client.public("/api/v3/ticker/price", symbol="BTCUSDT").json()["price"] == "50000"
    assert [entry["path"] for entry in venue.requests()] == ["/api/v3/ticker/price"]


def test_users_are_shown_without_their_secrets(venue):
    venue.add_user("other", "mx0other", "other-secret")
    assert "secret" not in str(venue.get("/users")).replace("other-secret", "LEAK")
    assert "LEAK" not in str(venue.get("/users")).replace("other-secret", "LEAK")


def test_the_market_moves_only_when_told_to_on_a_still_venue(venue):
    assert venue.health()["venues"]["mexc"]["tick"] == 0
    venue.advance(3)
    assert venue.health()["venues"]["mexc"]["tick"] == 3


WRONG_REQUESTS = {
    "no object": ("/prices", [1], "JSON object"),
    "unknown symbol": ("/prices", {"symbol": "NOSUCH", "price": "1"}, "no symbol"),
    "price as float": ("/prices", {"symbol": "BTCUSDT", "price": 1.5}, "plain decimal"),
    "price zero": ("/prices", {"symbol": "BTCUSDT", "price": "0"}, "at least"),
    "price too fine": ("/prices", {"symbol": "BTCUSDT", "price": "1.001"}, "finer than the tick"),
    "price NaN": ("/prices", {"symbol": "BTCUSDT", "price": "NaN"}, "plain decimal"),
    "unknown order": ("/fills", {"order": "nothing", "quantity": "1"}, "no order"),
    "unknown user": ("/balances", {"user": "nobody", "asset": "BTC", "total": "1"}, "no user"),
    "negative total": ("/balances", {"asset": "BTC", "total": "-1"}, "at least 0"),
    "overdrawing": ("/balances", {"asset": "USDT", "withdraw": "100001"}, "negative"),
    "unknown setting": ("/settings", {"speed": 3}, "no setting"),
    "wrong choice": ("/settings", {"fee_asset": "GOLD"}, "use one of"),
    "unknown venue": ("/settings", {"venue": "nasdaq"}, "no venue"),
    "unknown field": ("/instruments", {"symbol": "BTCUSDT", "colour": "red"}, "cannot be changed"),
    "no ticks": ("/ticks", {"count": 0}, "whole number"),
    "stolen key": ("/users", {"user": "thief", "key": "mx0testkey", "secret": "s"}, "already belongs"),
    "unknown path": ("/nothing", {}, "no control endpoint"),
}


@pytest.mark.parametrize("name", WRONG_REQUESTS)
def test_a_wrong_control_request_says_what_and_why_and_changes_nothing(venue, name: str):
    path, document, reason = WRONG_REQUESTS[name]
    before = (venue.balances(), venue.get("/settings"), venue.get("/prices"), venue.get("/users"))
    with pytest.raises(AssertionError, match=reason):
        venue.send("POST", path, document)
    assert (venue.balances(), venue.get("/settings"), venue.get("/prices"), venue.get("/users")) == before


def test_a_forced_fill_cannot_exceed_the_order_or_touch_a_finished_one(client: SignedClient, venue):
    client.place(quantity="0.5", price="40000", newClientOrderId="l1")
    with pytest.raises(AssertionError, match=r"up to 0\.5"):
        venue.fill("l1", "0.6")
    client.cancel("l1")
    with pytest.raises(AssertionError, match="only a resting order"):
        venue.fill("l1", "0.1")
    assert Decimal(venue.orders()[0]["filled"]) == 0
