"""One simulated venue for the session, with a market that stands still and no request limits; reset for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.testing import SimulatedVenue, running_venue
from tests.simulator.mexc_client import SignedClient


@pytest.fixture(scope="session")
def still_venue() -> Iterator[SimulatedVenue]:
    with running_venue(seed=7, tick_ms=0, limits="off") as venue:
        yield venue


@pytest.fixture
def venue(still_venue: SimulatedVenue) -> SimulatedVenue:
    still_venue.reset()
    return still_venue


@pytest.fixture
def client(venue: SimulatedVenue) -> Iterator[SignedClient]:
    client = SignedClient(venue.base_url, venue.key, venue.secret)
    yield client
    client.close()


@pytest.fixture
def second_client(venue: SimulatedVenue) -> Iterator[SignedClient]:
    """Another user of the same venue with funds of its own."""
    venue.add_user("other", "mx0other", "other-secret", balances={"USDT": "100000", "BTC": "5"})
    client = SignedClient(venue.base_url, "mx0other", "other-secret")
    yield client
    client.close()
