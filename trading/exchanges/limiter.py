"""The venues' rate limits, kept by ourselves because the venues do not tell how much is left.

Words: a Bucket is a token bucket with a burst (`capacity`), a `rate` and a `reserve` that only urgent requests (cancels
and the queries of a kill sweep) may use; a request pays all its charges at once or none. Levels are in thousandths of a
token, whole numbers on both sides of the wire.

A venue that answered 429 or 418 is closed for everybody who shares the scope until its Retry-After is over, for cancels
as well: at MEXC the next thing after ignoring a 429 is an address ban of two minutes to three days, which would hold up
every later cancel. The reserve is for getting through our own throttling, never through the venue's.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from .clock import boot_seconds

TOKEN = 1000
_SLOT_LIFE_SECONDS = 5.0
_LONGEST_NAP_SECONDS = 0.25  # look again at least this often: somebody may have closed the venue meanwhile


@dataclass(frozen=True, slots=True)
class Bucket:
    """One limit. `name` is for metrics, `key` says who shares it; the rest in thousandths of a token (per second)."""

    name: str
    key: str
    capacity: int
    rate: int
    reserve: int = 0


@dataclass(frozen=True, slots=True)
class Charge:
    bucket: Bucket
    weight: int = 1

    @property
    def cost(self) -> int:
        return self.weight * TOKEN


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer. Not granted: `blocked_seconds` if the venue is closed, else `wait_seconds` until there are tokens."""

    granted: bool
    wait_seconds: float = 0.0
    blocked_seconds: float = 0.0
    levels: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What is left now, for all processes together: thousandths of a token, in the order of the buckets asked for."""

    levels: tuple[int, ...]
    blocked_seconds: float = 0.0


class Limiter(Protocol):
    def acquire(
        self, scope: str, charges: Sequence[Charge], *, urgent: bool = False, max_wait_seconds: float = 0.0
    ) -> Grant:
        """Pay all charges now or within `max_wait_seconds`. Returns at once when the wait would be longer."""
        ...

    def block(self, scope: str, seconds: float) -> None:
        """Close the scope (one installation of a venue, seen from our address); never shortens a closure."""
        ...

    def blocked_seconds(self, scope: str) -> float:
        """What this process knows, without asking anybody."""
        ...

    def look(self, scope: str, buckets: Sequence[Bucket]) -> Reading | None:
        """For eyes: takes nothing. None while nothing is shared, because one process's own share tells nothing."""
        ...


class WaitingLimiter:
    """The waiting, for limiters that can answer at once (`try_acquire`)."""

    def try_acquire(self, scope: str, charges: Sequence[Charge], urgent: bool) -> Grant:
        raise NotImplementedError

    def acquire(
        self, scope: str, charges: Sequence[Charge], *, urgent: bool = False, max_wait_seconds: float = 0.0
    ) -> Grant:
        until = boot_seconds() + max_wait_seconds
        while True:
            grant = self.try_acquire(scope, charges, urgent)
            left = until - boot_seconds()
            if grant.granted or max(grant.wait_seconds, grant.blocked_seconds) > left:
                return grant
            time.sleep(min(_LONGEST_NAP_SECONDS, max(0.001, grant.wait_seconds, grant.blocked_seconds)))


class LocalLimiter(WaitingLimiter):
    """This process alone: what is used when nothing can be shared.

    It does not know the other processes, so ordinary requests get a small share of each limit. Urgent ones have a pool
    of their own with a larger share, since as a rule one process sweeps: never less than one token, so a cancel always
    gets through in the end.
    """

    def __init__(
        self, *, normal_share: Fraction = Fraction(1, 8), urgent_share: Fraction = Fraction(1, 2)
    ) -> None:
        self._shares = {False: normal_share, True: urgent_share}
        self._lock = threading.Lock()
        self._levels: dict[tuple[str, bool], tuple[float, float]] = {}
        self._closed_until: dict[str, float] = {}

    def try_acquire(self, scope: str, charges: Sequence[Charge], urgent: bool) -> Grant:
        with self._lock:
            blocked = self._blocked(scope)
            if blocked > 0:
                return Grant(False, blocked_seconds=blocked)
            now = boot_seconds()
            levels = [self._level(charge.bucket, urgent, now) for charge in charges]
            wait = max(
                (self._missing(charge, level, urgent) for charge, level in zip(charges, levels, strict=True)),
                default=0.0,
            )
            if wait > 0:
                return Grant(False, wait_seconds=wait)
            for charge, level in zip(charges, levels, strict=True):
                self._levels[charge.bucket.key, urgent] = (level - charge.cost, now)
            named = zip(charges, levels, strict=True)
            return Grant(True, levels=tuple((c.bucket.name, int(level) - c.cost) for c, level in named))

    def block(self, scope: str, seconds: float) -> None:
        with self._lock:
            self._closed_until[scope] = max(self._closed_until.get(scope, 0.0), boot_seconds() + seconds)

    def blocked_seconds(self, scope: str) -> float:
        with self._lock:
            return self._blocked(scope)

    def look(self, scope: str, buckets: Sequence[Bucket]) -> Reading | None:
        return None

    def _blocked(self, scope: str) -> float:
        return max(0.0, self._closed_until.get(scope, 0.0) - boot_seconds())

    def _capacity(self, bucket: Bucket, urgent: bool) -> int:
        return max(TOKEN, int(bucket.capacity * self._shares[urgent]))

    def _level(self, bucket: Bucket, urgent: bool, now: float) -> float:
        capacity = self._capacity(bucket, urgent)
        level, at = self._levels.get((bucket.key, urgent), (capacity, now))
        return min(capacity, level + max(0.0, now - at) * bucket.rate * self._shares[urgent])

    def _missing(self, charge: Charge, level: float, urgent: bool) -> float:
        """Seconds until the charge can be paid. One larger than the pool waits for a full pool and leaves a debt."""
        need = min(charge.cost, self._capacity(charge.bucket, urgent))
        return max(0.0, need - level) / (charge.bucket.rate * self._shares[urgent])


class SlotBook:
    """Slots that were paid for and not used yet. They lapse soon, so that old ones cannot add up to a burst."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lapse_at: deque[float] = deque()

    def put(self) -> None:
        with self._lock:
            self._lapse_at.append(boot_seconds() + _SLOT_LIFE_SECONDS)

    def take(self) -> bool:
        with self._lock:
            while self._lapse_at:
                if self._lapse_at.popleft() > boot_seconds():
                    return True
            return False
