"""Request limits: sliding windows per account or per client address, and bans after persistent abuse.

A limiter answers "may this pass now, and if not, after how many seconds"; it knows no status codes. Requests over the
limit are not executed and do not consume the window, but too many of them in a minute earn a ban.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from math import ceil

ABUSE_LIMIT = 30
ABUSE_WINDOW = 60
FIRST_BAN_SECONDS = 120
LONGEST_BAN_SECONDS = 3 * 24 * 3600


class SlidingWindow:
    """At most `capacity` units in any `seconds`, counted per unit with its time."""

    def __init__(self, capacity: int, seconds: int) -> None:
        self.capacity, self.seconds = capacity, seconds
        self._taken: deque[tuple[float, int]] = deque()
        self._total = 0

    def take(self, now: float, units: int, scale: Decimal) -> int:
        """0 if it passes, else the whole seconds to wait."""
        while self._taken and self._taken[0][0] <= now - self.seconds:
            self._total -= self._taken.popleft()[1]
        if self._total + units > self.capacity * scale:
            return max(1, ceil(self._taken[0][0] + self.seconds - now)) if self._taken else self.seconds
        self._taken.append((now, units))
        self._total += units
        return 0

    def find_left(self, scale: Decimal) -> int:
        return max(0, int(self.capacity * scale) - self._total)


class RequestLimits:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._windows: dict[tuple[str, str], SlidingWindow] = {}
        self._abuse: dict[str, SlidingWindow] = {}
        self._bans: dict[str, tuple[float, int]] = {}

    def take(
        self, bucket: str, owner: str, capacity: int, seconds: int, units: int, now: float, scale: Decimal
    ) -> int:
        window = self._windows.setdefault((bucket, owner), SlidingWindow(capacity, seconds))
        return window.take(now, units, scale)

    def find_left(self, bucket: str, owner: str, scale: Decimal) -> int:
        """How many units the window had left after the last one that was taken from it."""
        window = self._windows.get((bucket, owner))
        return 0 if window is None else window.find_left(scale)

    def note_excess(self, address: str, now: float) -> None:
        abuse = self._abuse.setdefault(address, SlidingWindow(ABUSE_LIMIT, ABUSE_WINDOW))
        if abuse.take(now, 1, Decimal(1)):
            _, earlier = self._bans.get(address, (now, 0))
            self.ban(address, now, min(LONGEST_BAN_SECONDS, earlier * 2 or FIRST_BAN_SECONDS))

    def ban(self, address: str, now: float, seconds: int) -> None:
        self._bans[address] = (now + seconds, seconds)
        self._abuse.pop(address, None)

    def find_ban(self, address: str, now: float) -> int:
        """Whole seconds until the address may speak again; 0 if it is not banned."""
        until, _ = self._bans.get(address, (now, 0))
        return max(0, ceil(until - now))
