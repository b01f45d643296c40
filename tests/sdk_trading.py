"""The Python interface on an empty simulated venue, as a script would use it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from simulator.testing import SimulatedVenue
from tests.paper_trading import LIMITS, TESTER, empty_venue
from trading.execution.limit_changes import change_limits
from trading.sdk import MexcOrders, OrderExecutor, Portfolio, RiskManager, close_lanes

ORDER_PATH = "/api/v3/order"


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    with ThreadPoolExecutor(1) as pool:  # a browser test may have left a loop running in this thread
        return pool.submit(asyncio.run, coroutine).result()


@dataclass
class SdkWorld:
    venue: SimulatedVenue

    def broker(self, rate_limit_rps: float = 5.0) -> MexcOrders:
        return MexcOrders(
            key=self.venue.key,
            secret=self.venue.secret,
            base_url=self.venue.base_url,
            rate_limit_rps=rate_limit_rps,
        )

    def executor(self, kill_threshold_usd: float = 100_000, **limits: Any) -> OrderExecutor:
        risk = RiskManager(base_equity=limits.pop("base_equity", 100_000), **limits)
        return OrderExecutor(risk, self.broker(), Portfolio(), kill_threshold_usd=kill_threshold_usd)

    def ledger(self) -> tuple[list[Any], int]:
        """What the venue accepted, and how many order requests it ever received: what must not change."""
        return self.venue.orders(), len(self.venue.requests(method="POST", path=ORDER_PATH))


@contextmanager
def sdk_world(venue: SimulatedVenue) -> Iterator[SdkWorld]:
    empty_venue(venue)
    change_limits(LIMITS, reason="tests", actor=TESTER)
    try:
        yield SdkWorld(venue)
    finally:
        venue.clear_faults()
        close_lanes(30)
