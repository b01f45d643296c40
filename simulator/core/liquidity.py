"""The seeded synthetic book around the price: finite levels on both sides.

Level sizes are a pure function of (seed, symbol, side, tick, level); what was taken from them is remembered until
the tick or the price changes, then the other market participants "refill" the book.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from simulator.core.money import ZERO, round_down
from simulator.core.prices import seeded_integer
from simulator.core.rows import Listing, SimSide

LEVELS = 60
GAP_SHARE = Decimal("0.00005")
_SCALE = Decimal(2**32)


class SyntheticLiquidity:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._moment: dict[str, tuple[int, Decimal]] = {}
        self._taken: dict[tuple[str, SimSide, Decimal], Decimal] = {}

    def iter_levels(
        self, listing: Listing, price: Decimal, tick: int, book_side: SimSide
    ) -> Iterator[tuple[Decimal, Decimal]]:
        """(price, quantity still there), best first. `book_side` BUY gives bids, SELL gives asks."""
        self._refill(listing.symbol, (tick, price))
        direction = 1 if book_side is SimSide.SELL else -1
        gap = max(listing.tick, round_down(price * GAP_SHARE, listing.tick))
        for index in range(LEVELS):
            level_price = price + direction * (listing.tick + index * gap)
            if level_price <= ZERO:
                return
            left = self._size(listing, price, tick, book_side, index) - self._taken.get(
                (listing.symbol, book_side, level_price), ZERO
            )
            if left > ZERO:
                yield level_price, left

    def take(self, symbol: str, book_side: SimSide, level_price: Decimal, quantity: Decimal) -> None:
        key = (symbol, book_side, level_price)
        self._taken[key] = self._taken.get(key, ZERO) + quantity

    def _refill(self, symbol: str, moment: tuple[int, Decimal]) -> None:
        if self._moment.get(symbol) == moment:
            return
        self._moment[symbol] = moment
        for key in [key for key in self._taken if key[0] == symbol]:
            del self._taken[key]

    def _size(self, listing: Listing, price: Decimal, tick: int, side: SimSide, index: int) -> Decimal:
        jitter = seeded_integer(self._seed, "depth", listing.symbol, side, tick, index) / _SCALE
        notional = listing.depth_notional * (index + 1) * (Decimal("0.5") + jitter)
        return round_down(notional / price, listing.step)
