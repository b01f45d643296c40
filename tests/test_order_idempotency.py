"""The documents' promises about ids and pace, against a real venue: one intent, one order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sdk_trading import SdkWorld, run, sdk_world


@pytest.fixture
def world(transactional_db, simulated_venue) -> Iterator[SdkWorld]:
    with sdk_world(simulated_venue) as made:
        yield made


def test_idempotent_id_stable(world):
    first = run(world.broker().place_order("BTC/USDT", "BUY", 0.01))
    ledger = world.ledger()
    again = run(world.broker().place_order("BTC/USDT", "BUY", 0.01))
    assert first["status"] == "filled"
    assert again == first
    assert [order["client_order_id"] for order in ledger[0]] == [first["clientOrderId"]]
    assert world.ledger() == ledger


def test_different_params_different_id(world):
    broker = world.broker()
    asked = [
        ("BTC/USDT", "BUY", 0.01, {}),
        ("BTC/USDT", "BUY", 0.02, {}),
        ("BTC/USDT", "SELL", 0.01, {}),
        ("ETH/USDT", "BUY", 0.01, {}),
        ("BTC/USDT", "BUY", 0.01, {"ts": 1_700_000_000}),
        ("BTC/USDT", "BUY", 0.01, {"ts": 1_700_000_001}),
    ]
    placed = [run(broker.place_order(symbol, side, qty, **more)) for symbol, side, qty, more in asked]
    assert [order["reason"] for order in placed] == [None] * len(asked)
    ids = [order["clientOrderId"] for order in placed]
    assert len(set(ids)) == len(asked)
    assert [order["client_order_id"] for order in world.venue.orders()] == ids


def test_rate_limiting(world):
    broker = world.broker(rate_limit_rps=1.0)
    assert run(broker.try_slot())
    ledger = world.ledger()
    assert not run(broker.try_slot())
    assert world.ledger() == ledger
    placed = run(broker.place_order("BTC/USDT", "BUY", 0.01))  # waits for its turn and is not lost
    assert placed["status"] == "filled", placed["reason"]
    assert len(world.venue.orders()) == 1
