"""The one monotonic clock of permits, and the venue's clock seen through it.

`boot_seconds` never jumps and keeps counting while the machine sleeps, so a permit cannot outlive a suspend. VenueClock
holds the venue's offset against that clock, not against the wall clock: stepping the wall clock changes no stamp.

A stamp is never ahead of the venue: from the measured midpoint it subtracts the whole uncertainty (half a round trip),
a fixed margin and an allowance for drift. Being late costs part of the request's window; being early would lengthen the
time in which the venue may still accept the request.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", None)  # Linux only; elsewhere monotonic has to do
_SAMPLES = 3
_MARGIN_SECONDS = 0.005
_DRIFT = 100e-6  # crystals are good for 50 ppm; twice that


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

    @property
    def is_usable(self) -> bool:
        return self._state is not None and not self._expired

    def expire(self) -> None:
        """The venue did not like a stamp: measure before the next one, keep the old offset until then."""
        self._expired = True

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
        return None if self._state is None else self._now() - self._state.measured_at

    def uncertainty_seconds(self) -> float | None:
        return None if self._state is None else self._state.error
