"""The simulated Bybit of the session's program, as new for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.testing import SimulatedVenue
from tests.simulator.bybit.signed_client import BybitClient


@pytest.fixture
def bybit(venue: SimulatedVenue) -> SimulatedVenue:
    return venue.at("bybit")


@pytest.fixture
def client(bybit: SimulatedVenue) -> Iterator[BybitClient]:
    client = BybitClient(bybit.base_url, bybit.key, bybit.secret)
    yield client
    client.close()
