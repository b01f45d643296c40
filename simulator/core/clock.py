"""Time on the simulated venue: wall milliseconds for the wire, ticks for the price process.

Ticks advance every `tick_ms` of monotonic time, or, with `tick_ms` 0, only when the caller advances them, which makes
a whole run a pure function of the seed and the requests.
"""

from __future__ import annotations

import time

NOMINAL_TICK_MS = 250


class SimClock:
    def __init__(self, tick_ms: int = NOMINAL_TICK_MS) -> None:
        self.tick_ms = tick_ms
        self._base_tick = 0
        self._started = time.monotonic()

    @property
    def nominal_ms(self) -> int:
        return self.tick_ms or NOMINAL_TICK_MS

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def due_tick(self) -> int:
        if self.tick_ms == 0:
            return self._base_tick
        return self._base_tick + int((time.monotonic() - self._started) * 1000) // self.tick_ms

    def advance(self, ticks: int) -> None:
        self._base_tick += ticks

    def resume_at(self, tick: int) -> None:
        self._base_tick, self._started = tick, time.monotonic()
