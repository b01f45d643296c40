"""Servers, venue and a warmed process: what the campaign forks its short-lived processes from.

The servers are those of a test session: a real PostgreSQL and Redis on free ports in a temporary folder, ended by a
reaper even when the campaign itself is killed. They do not wait for the disk, because here processes die and not
machines; the parts that kill PostgreSQL itself run on a whole stack, which does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from simulator.testing import SimulatedVenue, running_venue
from tests.servers import start_for_session

PLENTY = {
    "max_order_notional": "1000000",
    "exposure_limit_symbol": "100000000",
    "exposure_limit_total": "100000000",
    "kill_threshold_usd": None,
    "max_daily_loss_pct": None,
    "max_open_orders": 100_000,
    "max_orders_per_minute": None,
    "max_concurrent_positions": 100,
    "max_price_age_seconds": 3600,
}
MONEY = "1000000000"


@dataclass
class Ground:
    """`world` is tests.making.World; `url` is the database's, for the oracle."""

    world: Any
    url: str
    home: Path

    @property
    def venue(self) -> SimulatedVenue:
        return self.world.venue

    @property
    def log(self) -> Path:
        """Where every strike of a failpoint leaves its line."""
        return self.home / "failpoints.log"

    def let_go(self) -> None:
        """No connection to anything: what a process must not share with its children."""
        from django.db import connections

        from trading.connections import forget_all

        connections.close_all()
        forget_all()


@contextmanager
def standing_ground() -> Iterator[Ground]:
    servers = start_for_session()
    try:
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        settings.STOP_FLAG.unlink(missing_ok=True)
        with running_venue(seed=7, tick_ms=0, limits="off") as venue:
            ground = Ground(_make_world(venue), os.environ["DATABASE_URL"], Path(os.environ["HOME_DIR"]))
            ground.let_go()
            yield ground
    finally:
        if servers:
            servers.stop()


def _make_world(venue: SimulatedVenue) -> Any:
    from django.conf import settings

    from tests.making import impatient_config, make_world

    config = impatient_config(market_expiry_sec=10, limit_expiry_sec=60)
    # Processes that die all the time are what the dead man is there for; here he would end the campaign.
    settings.LEVI_CONFIG = replace(config, risk=replace(config.risk, dead_man_sec=0))
    world = make_world(venue, limits=PLENTY)
    for asset in ("USDT", "BTC", "ETH"):
        venue.set_balance(asset, MONEY)
    world.sync()
    return world
