"""The seeded volume: what everybody else trades between two instants, a pure function of the seed.

A UTC day has a total of its own, less at the weekend, and a shape: the hours at which the world's desks are busy, bent
for each symbol, with noise in every quarter. A stretch trades the difference of two points on one rising line of whole
steps. So candles of all lengths add up exactly, and every minute trades at least one step.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from itertools import accumulate

from simulator.core.prices import seeded_integer
from simulator.core.rows import Listing

MINUTE = 60_000
QUARTER = 15 * MINUTE
DAY = 96 * QUARTER
# How busy each hour is, in percent of the mean: Asia's morning, Europe's noon, America's opening.
HOURS = (
    *(110, 120, 100, 80, 60, 50, 55, 80, 105, 110, 100, 95),
    *(110, 150, 185, 180, 155, 130, 110, 95, 85, 80, 75, 80),
)
WEEKEND_PERCENT = 70


class VolumeProcess:
    def __init__(self, seed: int) -> None:
        self._seed = seed

    def traded(self, listing: Listing, since_ms: int, until_ms: int) -> Decimal:
        """Base units, a whole number of the listing's steps."""
        whole_days = range(since_ms // DAY, until_ms // DAY)
        steps = sum(_steps_of_day(self._seed, listing, day) for day in whole_days)
        return (steps + self._since_midnight(listing, until_ms) - self._since_midnight(listing, since_ms)) * (
            listing.step
        )

    def _since_midnight(self, listing: Listing, at_ms: int) -> int:
        day, into_day = divmod(at_ms, DAY)
        if not into_day:
            return 0
        line = _draw_day(self._seed, listing.symbol, day, _steps_of_day(self._seed, listing, day))
        quarter, into_quarter = divmod(into_day, QUARTER)
        return line[quarter] + (line[quarter + 1] - line[quarter]) * into_quarter // QUARTER


def _percent(least: int, most: int, *parts: object) -> int:
    return least + seeded_integer(*parts) % (most - least + 1)


def _steps_of_day(seed: int, listing: Listing, day: int) -> int:
    """As much per second as a level of the book holds, times the day's own mood."""
    usual = listing.depth_notional * DAY / 1_000 / listing.anchor_price / listing.step
    mood = _percent(70, 150, seed, "day's volume", listing.symbol, day)
    is_weekend = (day + 3) % 7 >= 5  # day 0 was a Thursday
    return max(DAY // MINUTE, int(usual) * mood * (WEEKEND_PERCENT if is_weekend else 100) // 10_000)


@lru_cache(maxsize=256)
def _draw_day(seed: int, symbol: str, day: int, steps: int) -> tuple[int, ...]:
    """Steps traded by the end of each quarter; the first is 0 and the last is `steps`."""
    habits = [_percent(60, 140, seed, "hour's volume", symbol, hour) for hour in range(24)]
    busy = [
        HOURS[number // 4] * habits[number // 4] * _percent(50, 150, seed, "volume", symbol, day, number)
        for number in range(96)
    ]
    line, least = [0, *accumulate(busy)], QUARTER // MINUTE
    spread = steps - 96 * least
    return tuple(number * least + spread * so_far // line[-1] for number, so_far in enumerate(line))
