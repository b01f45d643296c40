"""Request limits: the sliding windows, their answers, and the ban after persistent abuse."""

from __future__ import annotations

from decimal import Decimal

from simulator.core.limits import ABUSE_LIMIT, RequestLimits, SlidingWindow
from tests.simulator.mexc_client import SignedClient, refusal

ONE = Decimal(1)


def test_a_window_passes_its_capacity_and_names_the_wait():
    window = SlidingWindow(12, 1)
    assert [window.take(100.0, 1, ONE) for _ in range(13)] == [0] * 12 + [1]
    assert window.take(101.1, 1, ONE) == 0


def test_a_refused_request_does_not_use_up_the_window():
    window = SlidingWindow(10, 10)
    assert window.take(0.0, 8, ONE) == 0
    assert window.take(1.0, 5, ONE) == 9
    assert window.take(1.0, 2, ONE) == 0


def test_the_scale_widens_the_window():
    window = SlidingWindow(2, 1)
    assert [window.take(0.0, 1, Decimal(2)) for _ in range(5)] == [0, 0, 0, 0, 1]


def test_persistent_excess_is_banned_and_the_next_ban_is_longer():
    limits = RequestLimits()
    for _ in range(ABUSE_LIMIT):
        limits.note_excess("10.0.0.1", 0.0)
    assert limits.find_ban("10.0.0.1", 0.0) == 0
    limits.note_excess("10.0.0.1", 0.0)
    assert limits.find_ban("10.0.0.1", 0.0) == 120
    assert limits.find_ban("10.0.0.1", 121.0) == 0
    for _ in range(ABUSE_LIMIT + 1):
        limits.note_excess("10.0.0.1", 200.0)
    assert limits.find_ban("10.0.0.1", 200.0) == 240
    assert limits.find_ban("10.0.0.2", 200.0) == 0


def test_order_requests_above_the_rate_are_not_executed(client: SignedClient, venue):
    venue.settings(
        limits_enabled=True, limits_scale="0.25"
    )  # 3 instead of 12 a second, to stay clear of slow machines
    statuses = [client.place(quantity="0.001", price="40000").status_code for _ in range(4)]
    assert statuses == [200] * 3 + [429]
    assert len(venue.orders()) == 3


def test_cancels_draw_on_the_same_bucket_as_placements(client: SignedClient, venue):
    venue.settings(limits_enabled=True, limits_scale="0.25")
    for _ in range(3):
        client.place(quantity="0.001", price="40000")
    answer = client.call("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert len(client.call("GET", "/api/v3/openOrders").json()) == 3


def test_public_weight_is_counted_per_address(client: SignedClient, venue):
    venue.settings(limits_enabled=True)
    statuses = [client.public("/api/v3/exchangeInfo", symbol="BTCUSDT").status_code for _ in range(13)]
    assert statuses == [200] * 12 + [429]  # 12 x 25 = 300
    assert client.call("GET", "/api/v3/account").status_code == 200


def test_the_account_endpoint_has_its_own_rate(client: SignedClient, venue):
    venue.settings(limits_enabled=True)
    assert [client.call("GET", "/api/v3/account").status_code for _ in range(3)] == [200, 200, 429]


def test_limits_can_be_scaled(client: SignedClient, venue):
    venue.settings(limits_enabled=True, limits_scale="10")
    assert {client.place(quantity="0.001", price="40000").status_code for _ in range(30)} == {200}


def test_too_many_requests_is_its_own_code(client: SignedClient, venue):
    venue.settings(limits_enabled=True, limits_scale="0.01")
    assert refusal(client.public("/api/v3/ticker/price", symbol="BTCUSDT")) == (429, 429)
