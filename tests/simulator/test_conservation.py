"""Money is neither made nor lost: after any sequence of operations the books balance, and a replay gives the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.core.clock import SimClock
from simulator.core.fees import FEE_POLICIES
from simulator.core.money import PRECISION, round_down
from simulator.core.profile import VenueProfile
from simulator.core.refusals import SimRefusal
from simulator.core.rows import SimOrderType, SimSide
from simulator.core.rules import SimOrderRequest
from simulator.core.settings import VenueSettings
from simulator.core.store import VenueStore
from simulator.core.trading import TradingVenue

SYMBOLS = ("BTCUSDT", "MXUSDT", "PEPEUSDT", "ETHBTC")
FUNDS = {
    "USDT": Decimal(50_000),
    "BTC": Decimal(1),
    "ETH": Decimal(5),
    "MX": Decimal(3),
    "PEPE": Decimal(10**9),
}

placements = st.tuples(
    st.just("place"),
    st.sampled_from(("a", "b")),
    st.sampled_from(SYMBOLS),
    st.sampled_from(SimSide),
    st.sampled_from(SimOrderType),
    st.integers(1, 40_000),
    st.integers(-30, 30),
    st.booleans(),
)
operations = st.lists(
    st.one_of(
        placements,
        placements,
        st.tuples(st.just("move"), st.sampled_from(SYMBOLS), st.integers(-20, 20)),
        st.tuples(st.just("tick"), st.integers(1, 3)),
        st.tuples(st.just("cancel"), st.sampled_from(("a", "b")), st.integers(0, 20)),
        st.tuples(st.just("cancel_all"), st.sampled_from(("a", "b"))),
        st.tuples(st.just("force"), st.integers(0, 20)),
        st.tuples(st.just("deposit"), st.sampled_from(("a", "b")), st.integers(1, 1_000)),
        st.tuples(st.just("policy"), st.sampled_from(FEE_POLICIES)),
    ),
    max_size=25,
)


class VenueDriver:
    """Applies drawn operations to a venue in memory; refusals are part of life."""

    def __init__(self) -> None:
        self.venue = TradingVenue("mexc", 11, VenueProfile(), VenueSettings(), SimClock(0), VenueStore())
        for name in ("a", "b"):
            self.venue.create_user(name, f"key-{name}", "secret", FUNDS)

    def apply(self, operation: tuple) -> None:
        step: Callable[..., None] = getattr(self, operation[0])
        try:
            step(*operation[1:])
        except SimRefusal:
            assert self.venue.check_conservation() == []

    def place(
        self,
        name: str,
        symbol: str,
        side: SimSide,
        order_type: SimOrderType,
        dollars: int,
        percent: int,
        by_quote: bool,
    ) -> None:
        listing, last = self.venue.listings[symbol], self.venue.last_price(symbol)
        price = round_down(last * (100 + percent) / 100, listing.tick)
        notional = Decimal(dollars) / (50_000 if listing.quote == "BTC" else 1)
        is_market = order_type is SimOrderType.MARKET
        by_quote = by_quote and is_market
        self.venue.place(
            self.venue.user(name),
            SimOrderRequest(
                symbol,
                side,
                order_type,
                quantity=None if by_quote else round_down(notional / last, listing.step),
                quote_quantity=round_down(notional, listing.tick) if by_quote else None,
                price=None if is_market else price,
            ),
        )

    def move(self, symbol: str, percent: int) -> None:
        listing = self.venue.listings[symbol]
        self.venue.pin_price(symbol, round_down(listing.anchor_price * (100 + percent) / 100, listing.tick))

    def tick(self, count: int) -> None:
        self.venue.clock.advance(count)
        self.venue.advance_ticks()

    def cancel(self, name: str, index: int) -> None:
        orders = self.venue.orders_of.get(name, [])
        if orders:
            order = orders[index % len(orders)]
            self.venue.cancel(self.venue.user(name), order.symbol, order.order_id, None)

    def cancel_all(self, name: str) -> None:
        self.venue.cancel_all(self.venue.user(name))

    def force(self, index: int) -> None:
        resting = [order for orders in self.venue.open_of.values() for order in orders.values()]
        if resting:
            self.venue.force_fill(resting[index % len(resting)], None)

    def deposit(self, name: str, quantity: int) -> None:
        self.venue.adjust_balance(self.venue.user(name), "USDT", Decimal(quantity))

    def policy(self, policy: str) -> None:
        self.venue.settings.fee_asset = policy


@pytest.fixture(autouse=True)
def wide_context() -> Iterator[None]:
    with localcontext(prec=PRECISION):
        yield


@settings(max_examples=120, deadline=None)
@given(operations)
def test_books_balance_after_every_operation(drawn: list[tuple]):
    with localcontext(prec=PRECISION):
        driver = VenueDriver()
        for operation in drawn:
            driver.apply(operation)
            assert driver.venue.check_conservation() == []
        for order in driver.venue.orders.values():
            fills = list(driver.venue.iter_fills(order))
            assert order.filled == sum((fill.quantity for fill in fills), Decimal(0)) <= order.quantity
            assert order.filled_quote == sum((fill.notional for fill in fills), Decimal(0))
            assert order.status.is_open or order.reserved == 0


@settings(max_examples=20, deadline=None)
@given(operations)
def test_the_same_operations_give_the_same_books(drawn: list[tuple]):
    def run() -> list[tuple]:
        with localcontext(prec=PRECISION):
            driver = VenueDriver()
            for operation in drawn:
                driver.apply(operation)
            fills = [
                (fill.fill_id, fill.order_id, fill.price, fill.quantity, fill.fee)
                for fill in driver.venue.fills
            ]
            return [
                *fills,
                *((order.order_id, order.status, order.filled) for order in driver.venue.orders.values()),
            ]

    assert run() == run()
