"""A quiet simulated Binance and an adapter connected to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.testing import SimulatedVenue, running_venue
from tests.exchanges.making import CountingObserver, make_exchange
from tests.exchanges.mexc.asking import SYMBOL
from trading.domain.enums import VenueName
from trading.exchanges.base import Exchange


@pytest.fixture(scope="module")
def quiet_venue() -> Iterator[SimulatedVenue]:
    """A market that moves only when told to, without request limits."""
    with running_venue(seed=7, tick_ms=0, limits="off") as program:
        yield program.at("binance")


@pytest.fixture
def venue(quiet_venue: SimulatedVenue) -> SimulatedVenue:
    quiet_venue.reset()
    quiet_venue.set_price(SYMBOL, "50000")
    return quiet_venue


@pytest.fixture
def observer() -> CountingObserver:
    return CountingObserver()


@pytest.fixture
def exchange(venue: SimulatedVenue, observer: CountingObserver) -> Iterator[Exchange]:
    found = make_exchange(
        venue.base_url, venue=VenueName.BINANCE, key=venue.key, secret=venue.secret, observer=observer
    )
    yield found
    found.close()
