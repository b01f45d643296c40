"""What everybody may see of a venue's market: the book, candles, the last day, the tape; all follow from the seed.

Views only, and of whatever instant the caller takes for now. How they are written is each wire's own affair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from simulator.core.money import ZERO, round_down
from simulator.core.prices import seeded_integer
from simulator.core.rows import Listing, SimSide
from simulator.core.venue import VenueState
from simulator.core.volumes import DAY, MINUTE

SAMPLES = 8
AVERAGE_MS = 5 * MINUTE
Level = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Candle:
    opens_ms: int
    opened: Decimal
    high: Decimal
    low: Decimal
    closed: Decimal
    volume: Decimal
    turnover: Decimal


@dataclass(frozen=True, slots=True)
class Print:
    """One trade of other participants."""

    tick: int
    price: Decimal
    quantity: Decimal
    side: SimSide  # the taker's
    at_ms: int


@dataclass(frozen=True, slots=True)
class MarketView:
    venue: VenueState
    now_ms: int

    # -- book ------------------------------------------------------------------------------------------------------

    def iter_book(self, listing: Listing, taker_side: SimSide) -> Iterator[Level]:
        """Price levels that a taker would meet, users' orders and synthetic depth at one price added up."""
        at_price, together = None, ZERO
        for price, left, _ in self.venue.engine.iter_counter_levels(listing, taker_side):
            if at_price is not None and price != at_price:
                yield at_price, together
                together = ZERO
            at_price, together = price, together + left
        if at_price is not None:
            yield at_price, together

    def best(self, listing: Listing, taker_side: SimSide) -> Level:
        return next(self.iter_book(listing, taker_side), (ZERO, ZERO))

    def book_number(self) -> int:
        """Rises with every change of a book."""
        return self.venue.tick + len(self.venue.fills) + 1

    # -- prices ----------------------------------------------------------------------------------------------------

    def price_at(self, listing: Listing, at_ms: int) -> Decimal:
        tick = self.venue.tick - (self.now_ms - at_ms) // self.venue.clock.nominal_ms
        if tick >= self.venue.tick:
            return self.venue.last_price(listing.symbol)
        return self.venue.prices.process_price(listing, tick)

    def average(self, listing: Listing) -> Decimal:
        """Over five minutes."""
        pinned = self.venue.prices.pins.get(listing.symbol)
        if pinned is not None:
            return pinned
        ticks = AVERAGE_MS // self.venue.clock.nominal_ms
        sampled = [
            self.venue.prices.process_price(listing, self.venue.tick - back)
            for back in range(0, ticks, max(1, ticks // 30))
        ]
        return round_down(sum(sampled, ZERO) / len(sampled), listing.tick)

    def candle(self, listing: Listing, opens_ms: int, length_ms: int) -> Candle:
        ends_ms = min(opens_ms + length_ms, self.now_ms)
        prices = [
            self.price_at(listing, opens_ms + (ends_ms - opens_ms) * sample // SAMPLES)
            for sample in range(SAMPLES + 1)
        ]
        volume = self.venue.volumes.traded(listing, opens_ms, ends_ms)
        turnover = round_down(volume * prices[0], listing.tick)
        return Candle(opens_ms, prices[0], max(prices), min(prices), prices[-1], volume, turnover)

    def list_opens(self, length_ms: int, start: int | None, end: int | None, limit: int) -> list[int]:
        """When the wanted candles open, the oldest first: from `start` on, or the last ones until `end`."""
        until = min(end or self.now_ms, self.now_ms)
        last_open = until - until % length_ms
        first_open = last_open - (limit - 1) * length_ms if start is None else start + (-start) % length_ms
        return list(range(first_open, last_open + 1, length_ms)[:limit])

    def last_day(self, listing: Listing) -> Candle:
        """The last 24 hours; the last price counts for the high and the low."""
        day, last = self.candle(listing, self.now_ms - DAY, DAY), self.venue.last_price(listing.symbol)
        high, low = max(day.high, last), min(day.low, last)
        return Candle(day.opens_ms, day.opened, high, low, last, day.volume, day.turnover)

    def tape(self, listing: Listing, limit: int) -> Iterator[Print]:
        """One public print per tick, newest first: other participants keep trading whatever the users do."""
        venue = self.venue
        for back in range(limit):
            tick = venue.tick - back
            price = (
                venue.last_price(listing.symbol) if back == 0 else venue.prices.process_price(listing, tick)
            )
            drawn = seeded_integer(venue.seed, "tape", listing.symbol, tick)
            quantity = max(
                listing.step, round_down(listing.depth_notional * (drawn % 100) / 400 / price, listing.step)
            )
            side = SimSide.SELL if drawn % 2 else SimSide.BUY
            yield Print(tick, price, quantity, side, self.now_ms - back * venue.clock.nominal_ms)
