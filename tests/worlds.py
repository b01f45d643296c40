"""Fixtures of the tests that need a venue: import them into a package's conftest.

`world` runs in one transaction that is rolled back: fast, for one connection. `live_world` really commits: for races,
for doorbells and for threads of the product's own. Both are at MEXC unless a test is marked for every venue.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import Celery, current_app
from django.conf import settings as django_settings

from simulator.testing import SimulatedVenue, running_venue
from tests.making import PATHS, World, impatient_config, make_world
from trading import doorbell
from trading.connections import forget_all
from trading.market import forget_failures


@pytest.fixture(scope="session")
def frozen_venue() -> Iterator[SimulatedVenue]:
    """A market that moves only when told to, with limits that no test reaches."""
    with running_venue(seed=7, tick_ms=0, limits="off") as venue:
        yield venue


@pytest.fixture
def impatient(settings) -> Iterator[None]:
    settings.LEVI_CONFIG = impatient_config()
    forget_failures()
    yield
    forget_all()
    django_settings.STOP_FLAG.unlink(missing_ok=True)


def _venue_of(request: pytest.FixtureRequest, program: SimulatedVenue) -> SimulatedVenue:
    return program.at(getattr(request, "param", "mexc"))


@pytest.fixture
def world(db: None, impatient: None, frozen_venue: SimulatedVenue, request: pytest.FixtureRequest) -> World:
    return make_world(_venue_of(request, frozen_venue))


@pytest.fixture
def live_world(
    transactional_db: None, impatient: None, frozen_venue: SimulatedVenue, request: pytest.FixtureRequest
) -> World:
    return make_world(_venue_of(request, frozen_venue))


# For tests that say the most about an adapter: the same story at each venue that is played.
every_venue = pytest.mark.parametrize("world", list(PATHS), indirect=True)
every_live_venue = pytest.mark.parametrize("live_world", list(PATHS), indirect=True)


@pytest.fixture
def dead_broker() -> Iterator[None]:
    """Bells are rung at a broker that is not there."""
    alive = current_app._get_current_object()
    dead = Celery("dead", set_as_current=False)
    dead.config_from_object("django.conf:settings", namespace="CELERY")
    dead.conf.broker_url = "redis://127.0.0.1:9/0"
    dead.set_current()
    yield
    alive.set_current()
    dead.close()
    doorbell._broken_until = 0.0
