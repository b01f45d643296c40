"""A quiet simulated venue and an adapter connected to it; a venue's own folder says which one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.testing import SimulatedVenue, running_venue
from tests.exchanges.making import CountingObserver, make_exchange
from tests.exchanges.mexc.asking import SYMBOL
from trading.domain.enums import VenueName
from trading.exchanges.base import Exchange


@pytest.fixture(scope="module")
def quiet_program() -> Iterator[SimulatedVenue]:
    """A market that moves only when told to, without request limits."""
    with running_venue(seed=7, tick_ms=0, limits="off") as program:
        yield program


@pytest.fixture
def venue_name() -> VenueName:
    return VenueName.MEXC


@pytest.fixture
def venue(quiet_program: SimulatedVenue, venue_name: VenueName) -> SimulatedVenue:
    found = quiet_program.at(venue_name)
    found.reset()
    found.set_price(SYMBOL, "50000")
    return found


@pytest.fixture
def observer() -> CountingObserver:
    return CountingObserver()


@pytest.fixture
def exchange(venue: SimulatedVenue, venue_name: VenueName, observer: CountingObserver) -> Iterator[Exchange]:
    found = make_exchange(
        venue.base_url, venue=venue_name, key=venue.key, secret=venue.secret, observer=observer
    )
    yield found
    found.close()
