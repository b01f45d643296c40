"""With Bybit's fees, bands and late decisions the books balance as well, and every order says why it ended."""

from __future__ import annotations

from decimal import localcontext
from functools import partial

from hypothesis import given, settings

from simulator.bybit.orders import FOUND_OUT_LATER
from simulator.bybit.profile import PROFILE
from simulator.core.clock import SimClock
from simulator.core.money import PRECISION, ZERO
from simulator.core.rows import SimOrderStatus
from simulator.core.settings import VenueSettings
from simulator.core.store import VenueStore
from simulator.core.trading import TradingVenue
from tests.simulator.test_conservation import FUNDS, VenueDriver, operations


class BybitDriver(VenueDriver):
    """The same operations, with the venue's own third coin, and placements that may end later."""

    def __init__(self) -> None:
        chosen = VenueSettings()
        chosen.change_all(dict(PROFILE.settings))
        self.venue = TradingVenue("bybit", 11, PROFILE, chosen, SimClock(0), VenueStore())
        self.venue.place = partial(self.venue.place, later=FOUND_OUT_LATER)  # type: ignore[method-assign]
        for name in ("a", "b"):
            self.venue.create_user(name, f"key-{name}", "secret", FUNDS)

    def apply(self, operation: tuple) -> None:
        super().apply(tuple("MNTUSDT" if part == "MXUSDT" else part for part in operation))


@settings(max_examples=60, deadline=None)
@given(operations)
def test_books_balance_and_every_end_has_its_cause(drawn: list[tuple]):
    with localcontext(prec=PRECISION):
        driver = BybitDriver()
        for operation in drawn:
            driver.apply(operation)
            assert driver.venue.check_conservation() == []
        for order in driver.venue.orders.values():
            is_cut = not order.status.is_open and order.status is not SimOrderStatus.FILLED
            assert (order.end_cause is not None) == is_cut
            assert order.status is not SimOrderStatus.REJECTED or order.filled == order.reserved == ZERO
