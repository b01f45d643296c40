"""With Bybit's fees, bands and late decisions the books balance as well, and every order says why it ended."""

from __future__ import annotations

from decimal import localcontext
from functools import partial

from hypothesis import given, settings

from simulator.bybit.orders import FOUND_OUT_LATER
from simulator.bybit.profile import PROFILE
from simulator.core.money import PRECISION, ZERO
from simulator.core.rows import SimOrderStatus
from simulator.core.settings import VenueSettings
from simulator.core.store import VenueStore
from simulator.core.trading import TradingVenue
from tests.simulator.bybit.exchange import StoppedClock
from tests.simulator.test_conservation import FUNDS, VenueDriver, operations


class BybitDriver(VenueDriver):
    """The same operations with the venue's own third coin, some placements being decided a second later."""

    def __init__(self) -> None:
        chosen = VenueSettings()
        chosen.change_all(dict(PROFILE.settings))
        self.clock = StoppedClock()
        self.venue = TradingVenue("bybit", 11, PROFILE, chosen, self.clock, VenueStore())
        self.policy("base")
        for name in ("a", "b"):
            self.venue.create_user(name, f"key-{name}", "secret", FUNDS)

    def apply(self, operation: tuple) -> None:
        super().apply(tuple("MNTUSDT" if part == "MXUSDT" else part for part in operation))

    def tick(self, count: int) -> None:
        self.clock.wall_ms += count * 500
        super().tick(count)

    def force(self, index: int) -> None:
        if not self.venue.undecided:
            super().force(index)

    def policy(self, policy: str) -> None:
        super().policy(policy)
        put_off_ms = 0 if policy == "base" else 1_000
        place = TradingVenue.place.__get__(self.venue)
        self.venue.place = partial(place, later=FOUND_OUT_LATER, put_off_ms=put_off_ms)  # type: ignore[method-assign]


@settings(max_examples=80, deadline=None)
@given(operations)
def test_books_balance_and_every_end_has_its_cause(drawn: list[tuple]):
    with localcontext(prec=PRECISION):
        driver = BybitDriver()
        for operation in drawn:
            driver.apply(operation)
            assert driver.venue.check_conservation() == []
        driver.tick(2)
        assert driver.venue.check_conservation() == []
        assert driver.venue.undecided == []
        for order in driver.venue.orders.values():
            is_cut = not order.status.is_open and order.status is not SimOrderStatus.FILLED
            assert (order.end_cause is not None) == is_cut
            assert order.status is not SimOrderStatus.REJECTED or order.filled == order.reserved == ZERO
