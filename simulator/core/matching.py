"""The matching engine: plans fills against the book, applies them to orders and balances.

Price-time priority over users' resting orders and the synthetic levels; at one price a user's order goes first.
A plan is made before anything changes, so an order that cannot be paid changes nothing. Every change of an order or
balance is reported to the `Ledger` protocol, which numbers and stores it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from heapq import merge
from typing import Protocol

from simulator.core.accounts import SimUser
from simulator.core.book import RestingOrders
from simulator.core.fees import fee_of_fill
from simulator.core.liquidity import SyntheticLiquidity
from simulator.core.money import ZERO, round_down
from simulator.core.profile import VenueProfile
from simulator.core.rows import EndCause, Listing, SimOrder, SimOrderStatus, SimOrderType, SimSide

PROTECTIVE_BAND = Decimal("0.05")
Level = tuple[Decimal, Decimal, SimOrder | None]
PlannedFill = tuple[SimOrder | None, Decimal, Decimal]


class VenueLedger(Protocol):
    def listing(self, symbol: str) -> Listing: ...
    def user(self, name: str) -> SimUser: ...
    def last_price(self, symbol: str) -> Decimal: ...
    def current_tick(self) -> int: ...
    @property
    def profile(self) -> VenueProfile: ...
    def price_in_third(self, asset: str) -> Decimal | None: ...
    def record_fill(
        self,
        order: SimOrder,
        price: Decimal,
        quantity: Decimal,
        fee: Decimal,
        fee_asset: str,
        is_maker: bool,
        is_self_trade: bool,
    ) -> None: ...
    def touch(self, order: SimOrder) -> None: ...


class MatchingEngine:
    def __init__(self, ledger: VenueLedger, seed: int) -> None:
        self._ledger = ledger
        self.resting = RestingOrders()
        self.liquidity = SyntheticLiquidity(seed)

    # -- plans -----------------------------------------------------------------------------------------------------

    def iter_counter_levels(self, listing: Listing, taker_side: SimSide) -> Iterator[Level]:
        sign = 1 if taker_side is SimSide.BUY else -1
        book_side = taker_side.opposite
        users = (
            (sign * order.price, 0, order.price, order.remaining, order)
            for order in self.resting.list_side(listing.symbol, book_side)
        )
        levels = self.liquidity.iter_levels(
            listing, self._ledger.last_price(listing.symbol), self._ledger.current_tick(), book_side
        )
        synthetic = ((sign * price, 1, price, left, None) for price, left in levels)
        for _, _, price, left, order in merge(users, synthetic, key=lambda level: level[:2]):
            yield price, left, order

    def plan(
        self,
        listing: Listing,
        side: SimSide,
        bound: Decimal,
        quantity: Decimal | None,
        budget: Decimal | None,
    ) -> list[PlannedFill]:
        """What an order would take up to `bound`: limited by quantity, or by a budget in quote."""
        planned: list[PlannedFill] = []
        for price, left, order in self.iter_counter_levels(listing, side):
            if (price > bound) if side is SimSide.BUY else (price < bound):
                break
            wanted = quantity if quantity is not None else round_down((budget or ZERO) / price, listing.step)
            taken = min(left, wanted)
            if taken <= ZERO:
                break
            planned.append((order, price, taken))
            quantity = quantity - taken if quantity is not None else None
            budget = budget - taken * price if budget is not None else None
        return planned

    def protective_bound(self, listing: Listing, side: SimSide) -> Decimal:
        last = self._ledger.last_price(listing.symbol)
        share = 1 + PROTECTIVE_BAND if side is SimSide.BUY else 1 - PROTECTIVE_BAND
        return max(listing.tick, round_down(last * share, listing.tick))

    # -- changes ---------------------------------------------------------------------------------------------------

    def execute(self, order: SimOrder, planned: list[PlannedFill]) -> None:
        for maker, price, quantity in planned:
            is_self_trade = maker is not None and maker.user == order.user
            if maker is None:
                self.liquidity.take(order.symbol, order.side.opposite, price, quantity)
            else:
                self.apply_fill(maker, maker.price, quantity, is_maker=True, is_self_trade=is_self_trade)
            self.apply_fill(order, price, quantity, is_maker=False, is_self_trade=is_self_trade)

    def apply_fill(
        self,
        order: SimOrder,
        price: Decimal,
        quantity: Decimal,
        *,
        is_maker: bool,
        is_self_trade: bool = False,
    ) -> None:
        listing, user = self._ledger.listing(order.symbol), self._ledger.user(order.user)
        direction = 1 if order.side is SimSide.BUY else -1
        order.filled += quantity
        order.filled_quote += price * quantity
        self.reserve(order)
        self._move_assets(user, listing, direction * quantity, -direction * price * quantity)
        fee, fee_asset = fee_of_fill(
            order,
            listing,
            user,
            price,
            quantity,
            is_maker,
            self._ledger.profile,
            self._ledger.price_in_third,
        )
        user.move(fee_asset, -fee)
        order.status = SimOrderStatus.FILLED if order.remaining == ZERO else SimOrderStatus.PARTIALLY_FILLED
        if is_maker and not order.status.is_open:
            self.resting.remove(order)
        self._ledger.record_fill(order, price, quantity, fee, fee_asset, is_maker, is_self_trade)

    @staticmethod
    def _move_assets(user: SimUser, listing: Listing, base_change: Decimal, quote_change: Decimal) -> None:
        user.move(listing.base, base_change)
        user.move(listing.quote, quote_change)

    def reserve(self, order: SimOrder) -> None:
        """Bring the user's lock in line with what the order still needs; MARKET orders never rest and lock nothing."""
        listing = self._ledger.listing(order.symbol)
        needed = (
            ZERO if order.type is SimOrderType.MARKET or not order.status.is_open else reservation_of(order)
        )
        asset = listing.quote if order.side is SimSide.BUY else listing.base
        self._ledger.user(order.user).lock(asset, needed - order.reserved)
        order.reserved = needed

    def rest(self, order: SimOrder) -> None:
        self.resting.add(order)
        self._ledger.touch(order)

    def cancel(self, order: SimOrder, cause: EndCause, *, was_resting: bool) -> None:
        if was_resting:
            self.resting.remove(order)
        order.end_cause = cause
        order.status = SimOrderStatus.PARTIALLY_CANCELED if order.filled else SimOrderStatus.CANCELED
        self.reserve(order)
        self._ledger.touch(order)

    def sweep(self, symbol: str) -> None:
        """Fill resting orders that the market has moved through: at their own price, as makers, while depth lasts."""
        for side in (SimSide.BUY, SimSide.SELL):
            for order in self.resting.list_side(symbol, side):
                if not self._fill_crossed(order):
                    break  # the next order's price is no better, so nothing is left for it either

    def _fill_crossed(self, order: SimOrder) -> bool:
        """Whether the order was filled whole."""
        listing = self._ledger.listing(order.symbol)
        book_side = order.side.opposite
        levels = self.liquidity.iter_levels(
            listing, self._ledger.last_price(order.symbol), self._ledger.current_tick(), book_side
        )
        filled = ZERO
        for price, left in levels:
            crosses = price <= order.price if order.side is SimSide.BUY else price >= order.price
            taken = min(left, order.remaining - filled)
            if not crosses or taken <= ZERO:
                break
            self.liquidity.take(order.symbol, book_side, price, taken)
            filled += taken
        if filled:
            self.apply_fill(order, order.price, filled, is_maker=True)
        return order.remaining == ZERO


def reservation_of(order: SimOrder) -> Decimal:
    if order.side is SimSide.SELL:
        return order.remaining
    return order.remaining * order.price * (1 + order.fee_headroom)
