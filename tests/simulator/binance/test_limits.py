"""Weight and unfilled orders at the simulated Binance: headers, refusals, and what gives a count back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from simulator.binance.quotas import UnfilledOrders
from simulator.core.rows import SimOrder, SimOrderStatus, SimOrderType, SimSide
from tests.simulator.binance.client import BinanceClient, code, refusal

WEIGHT, ORDERS = "X-MBX-USED-WEIGHT-1M", "X-MBX-ORDER-COUNT-10S"


def used(answer) -> int:
    return int(answer.headers[WEIGHT])


def test_every_answer_says_the_used_weight(client: BinanceClient) -> None:
    """A minute may turn between two requests, so only differences within it are compared."""
    for _ in range(3):
        before = used(client.public("/api/v3/ping"))
        after = [
            used(client.call("GET", "/api/v3/openOrders")),
            used(client.call("GET", "/api/v3/openOrders", symbol="BTCUSDT")),
            used(client.place()),
            used(client.place(quantity="0")),
            used(client.call("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=1)),
        ]
        if after[-1] > before:
            break
    assert [later - before for later in after] == [80, 86, 86, 87, 92]


@pytest.mark.parametrize(
    ("path", "parameters", "expected"),
    [
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": 100}, 5),
        ("/api/v3/depth", {"symbol": "BTCUSDT", "limit": 5000}, 250),
        ("/api/v3/ticker/price", {"symbol": "BTCUSDT"}, 2),
        ("/api/v3/ticker/price", {}, 4),
        ("/api/v3/ticker/24hr", {}, 80),
        ("/api/v3/ticker/24hr", {"symbols": '["BTCUSDT","ETHUSDT"]'}, 2),
    ],
)
def test_weight_follows_from_the_parameters(
    client: BinanceClient, binance, path, parameters, expected
) -> None:
    binance.settings()  # counts begin anew
    assert used(client.public(path, **parameters)) == expected


def test_the_wallet_has_a_bucket_of_its_own(client: BinanceClient) -> None:
    answer = client.call("GET", "/sapi/v1/account/apiRestrictions")
    assert answer.headers["X-SAPI-USED-IP-WEIGHT-1M"] == "1"
    assert WEIGHT not in answer.headers


def test_over_the_weight_nothing_is_done(client: BinanceClient, binance) -> None:
    binance.settings(limits_enabled=True, limits_scale="0.01")  # 60 a minute
    answers = [client.call("GET", "/api/v3/account") for _ in range(4)]
    if answers[3].status_code == 200:  # the minute has just turned
        answers = [client.call("GET", "/api/v3/account") for _ in range(4)]
    assert answers[-1].status_code == 429
    status, number, message = refusal(answers[-1])
    assert (status, number) == (429, -1003)
    assert "current limit is 60 request weight per 1 MINUTE" in message
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61


def test_too_many_unfilled_orders_are_refused_and_filled_ones_do_not_count(
    client: BinanceClient, binance
) -> None:
    binance.settings(limits_enabled=True, limits_scale="0.03")  # 3 in ten seconds
    for _ in range(5):
        assert client.place("MARKET", quantity="0.001").headers[ORDERS] == "0"
    answers = [client.place(newClientOrderId=f"n{number}") for number in range(8)]
    refused = [answer for answer in answers if answer.status_code != 200]
    assert refusal(refused[0]) == (
        429,
        -1015,
        "Too many new orders; current limit is 3 orders per 10 SECOND.",
    )
    assert int(refused[0].headers["Retry-After"]) <= 11
    assert len(binance.orders()) == 5 + 8 - len(refused)


def test_the_counts_can_be_asked_for(client: BinanceClient) -> None:
    client.place()
    seconds, day = client.get("/api/v3/rateLimit/order")
    assert (seconds["interval"], day["interval"], day["count"]) == ("SECOND", "DAY", 1)


def make_order(received_ms: int, filled: str = "0", status: str = "NEW") -> SimOrder:
    return SimOrder(
        sequence=1,
        order_id="1",
        user="trader",
        symbol="BTCUSDT",
        side=SimSide.BUY,
        type=SimOrderType.LIMIT,
        price=Decimal(1),
        quantity=Decimal(1),
        received_ms=received_ms,
        filled=Decimal(filled),
        status=SimOrderStatus(status),
    )


def test_an_order_gives_its_count_back_when_something_of_it_is_filled() -> None:
    counts, orders = UnfilledOrders(10_000), [make_order(9_999), make_order(10_000), make_order(10_001)]
    assert counts.count(orders, 10_002) == 2
    orders[1].filled = Decimal("0.1")
    orders[2].status = SimOrderStatus.CANCELED
    assert counts.count(orders, 10_003) == 1
    orders.append(make_order(10_004))
    assert counts.count(orders, 10_005) == 2
    assert counts.count(orders, 20_000) == 0


def test_a_ban_meets_everything_from_the_address(client: BinanceClient, binance) -> None:
    binance.faults([{"match": {"venue": "binance"}, "kind": "ban", "retry_after": 120, "count": 1}])
    client.public("/api/v3/ping")
    answer = client.place()
    assert code(answer) == (418, -1003)
    assert "IP banned until" in answer.json()["msg"]
    assert int(answer.headers["Retry-After"]) > 60
    assert binance.orders() == []
