"""Bybit's exchange without its wire, with a wall clock that is moved by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from simulator.bybit.profile import PROFILE
from simulator.core.clock import SimClock
from simulator.core.settings import VenueSettings
from simulator.core.store import VenueStore
from simulator.core.trading import TradingVenue

SMALL = Decimal("0.02")
FUNDS = {"USDT": Decimal(3_000), "BTC": Decimal(1)}


class StoppedClock(SimClock):
    def __init__(self) -> None:
        super().__init__(0)
        self.wall_ms = 1_800_000_000_000

    def now_ms(self) -> int:
        return self.wall_ms


def put_up_exchange(path: Path | None = None) -> TradingVenue:
    """As its books were left, or with one user and little money."""
    chosen = VenueSettings()
    chosen.change_all(dict(PROFILE.settings))
    exchange = TradingVenue("bybit", 11, PROFILE, chosen, StoppedClock(), VenueStore(path))
    exchange.restore()
    if "trader" not in exchange.users:
        exchange.create_user("trader", "key", "secret", FUNDS)
    return exchange
