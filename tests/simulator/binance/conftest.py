"""The simulated Binance of the program that these tests share, and users of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.testing import SimulatedVenue
from tests.simulator.binance.client import BinanceClient


@pytest.fixture
def binance(venue: SimulatedVenue) -> SimulatedVenue:
    return venue.at("binance")


@pytest.fixture
def client(binance: SimulatedVenue) -> Iterator[BinanceClient]:
    client = BinanceClient(binance)
    yield client
    client.close()


@pytest.fixture
def other(binance: SimulatedVenue) -> Iterator[BinanceClient]:
    """Another user with funds of its own."""
    binance.add_user("other", "otherkey", "other-secret", balances={"USDT": "100000", "BTC": "5"})
    client = BinanceClient(binance, "otherkey", "other-secret")
    yield client
    client.close()
