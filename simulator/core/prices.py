"""The seeded price process: price(symbol, tick) is a pure function of the seed.

The price is the anchor moved by several octaves of smooth noise, so it wanders like a walk on every time scale yet
needs no history: any past tick (klines) can be computed at any time, and two venues with the same seed agree.
A caller may pin a symbol to a price; a pinned symbol does not move until it is released.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import blake2b

from simulator.core.money import round_down
from simulator.core.rows import Listing

# (period in ticks, amplitude as a share of the anchor): fast and small to slow and wide.
OCTAVES: tuple[tuple[int, Decimal], ...] = (
    (4, Decimal("0.0001")),
    (32, Decimal("0.0004")),
    (256, Decimal("0.001")),
    (2_048, Decimal("0.003")),
    (16_384, Decimal("0.01")),
    (262_144, Decimal("0.04")),
)
_SCALE = Decimal(2**31)


class PriceProcess:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.pins: dict[str, Decimal] = {}
        self._last: dict[str, tuple[int, Decimal]] = {}

    def pin(self, symbol: str, price: Decimal) -> None:
        self.pins[symbol] = price

    def release(self, symbol: str) -> None:
        self.pins.pop(symbol, None)

    def find_price(self, listing: Listing, tick: int) -> Decimal:
        pinned = self.pins.get(listing.symbol)
        return pinned if pinned is not None else self.process_price(listing, tick)

    def process_price(self, listing: Listing, tick: int) -> Decimal:
        known = self._last.get(listing.symbol)
        if known is not None and known[0] == tick:
            return known[1]
        share = sum(
            (amplitude * self._smooth(listing.symbol, period, tick) for period, amplitude in OCTAVES),
            Decimal(0),
        )
        price = max(listing.tick, round_down(listing.anchor_price * (1 + share), listing.tick))
        self._last[listing.symbol] = (tick, price)
        return price

    def _smooth(self, symbol: str, period: int, tick: int) -> Decimal:
        index, offset = divmod(tick, period)
        left, right = self._noise(symbol, period, index), self._noise(symbol, period, index + 1)
        return left + (right - left) * offset / period

    def _noise(self, symbol: str, period: int, index: int) -> Decimal:
        """A number in [-1, 1); zero at index 0 so that every process starts exactly at its anchor."""
        if index == 0:
            return Decimal(0)
        return seeded_integer(self._seed, symbol, period, index) / _SCALE - 1


def seeded_integer(*parts: object) -> int:
    """32 bits that depend on nothing but the parts (Python's own hash is salted per process)."""
    digest = blake2b("|".join(map(str, parts)).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")
