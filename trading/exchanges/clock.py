"""The one monotonic clock of permits, and the venue's clock seen through it.

`boot_seconds` never jumps and keeps counting while the machine sleeps, so a permit cannot outlive a suspend. VenueClock
holds the venue's offset against that clock, not against the wall clock: stepping the wall clock changes no stamp.

A stamp is never ahead of the venue: from the measured midpoint it subtracts the whole uncertainty (half a round trip),
a fixed margin and an allowance for drift. Being late costs part of the request's window; being early would lengthen the
time in which the venue may still accept the request. The allowance grows with the age of a measurement, so one is
repeated every 30 seconds where it is used, and after two minutes it is good for no new order.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # Linux only; elsewhere monotonic has to do
_SAMPLES = 3
_MARGIN_SECONDS = 0.005
_DRIFT = 100e-6  # crystals are good for 50 ppm; twice that
FRESH_SECONDS = 30.0
MAX_AGE_SECONDS = 120.0
# What reads and cancels get along with: their stamps are then late by two of their window's five seconds.
OLD_SECONDS = 6 * 3600.0
_RETRY_SECONDS = 10.0  # a time endpoint that hangs must not delay every order


def boot_seconds() -> float:
    """Seconds on the clock that deadlines are written in. Only differences mean something."""
    return time.clock_gettime(_CLOCK) if _CLOCK is not None else time.monotonic()


@dataclass(frozen=True, slots=True)
class TimeAnswer:
    """One answer of the venue's time endpoint and when (boot clock) its question left and its answer began."""

    venue_ms: int
    sent: float
    answered: float


@dataclass(frozen=True, slots=True)
class ClockState:
    """`offset` is the venue's seconds minus ours at the middle of the round trip, wrong by `error` at the most."""

    offset: float
    error: float
    measured_at: float


def read_offset(answer: TimeAnswer) -> ClockState:
    middle = (answer.sent + answer.answered) / 2
    error = max(0.0, answer.answered - answer.sent) / 2
    return ClockState(answer.venue_ms / 1000 - middle, error, answer.answered)


class VenueClock:
    """The last good measurement. A failed one leaves the one before in force."""

    def __init__(self, now: Callable[[], float] = boot_seconds) -> None:
        self._now = now
        self._state: ClockState | None = None
        self._expired = False
        self._tried_at: float | None = None
        self._refreshing = threading.Lock()

    @property
    def is_known(self) -> bool:
        """Measured at some time, and the venue took the stamps. Enough for reads and cancels, which may be late."""
        return self._state is not None and not self._expired

    @property
    def is_usable(self) -> bool:
        """Good enough for a new order."""
        return self._state is not None and not self._expired and self._age(self._state) <= MAX_AGE_SECONDS

    def expire(self) -> None:
        """The venue did not like a stamp: measure before the next one, keep the old offset until then."""
        self._expired = True

    def refresh(self, ask: Callable[[], TimeAnswer], *, older_than: float) -> None:
        """Measure again if it is that old. Nobody waits for another thread that does so already."""
        if self._is_due(older_than) and self._refreshing.acquire(blocking=False):
            try:
                self._tried_at = self._now()
                self.measure(ask)
            finally:
                self._refreshing.release()

    def _is_due(self, older_than: float) -> bool:
        waited = self._tried_at is None or self._now() - self._tried_at >= _RETRY_SECONDS
        return waited and (self._state is None or self._age(self._state) > older_than)

    def measure(self, ask: Callable[[], TimeAnswer]) -> ClockState:
        """Ask three times and keep the median, which one delayed answer cannot spoil."""
        found = sorted((read_offset(ask()) for _ in range(_SAMPLES)), key=lambda state: state.offset)
        self._state, self._expired = found[_SAMPLES // 2], False
        return self._state

    def now_ms(self) -> int:
        """The venue's clock, never ahead of it. Raises LookupError if it was never measured."""
        if self._state is None:
            raise LookupError("the venue's clock was never measured")
        now = self._now()
        drift = max(0.0, now - self._state.measured_at) * _DRIFT
        late = self._state.error + _MARGIN_SECONDS + drift
        return math.floor((now + self._state.offset - late) * 1000)

    def age_seconds(self) -> float | None:
        return None if self._state is None else self._age(self._state)

    def _age(self, state: ClockState) -> float:
        return self._now() - state.measured_at

    def uncertainty_seconds(self) -> float | None:
        return None if self._state is None else self._state.error
