"""What a private stream said of each order in one session, so that a fill it never told of is noticed.

Nothing here is evidence of anything but the stream's own silence. Bounded: the orders that were told of longest ago are
forgotten first, and with them the stretch of time about which the stream's silence means something.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from .money import ZERO

MOST_NAMES = 20_000


class Announcements:
    """`judged_from`: fills after this instant, by the venue's clock, had to be announced in this session."""

    def __init__(self, judged_from: datetime, *, most_names: int = MOST_NAMES) -> None:
        self.judged_from = judged_from
        self._most = most_names
        self._told: OrderedDict[str, tuple[Decimal, datetime]] = OrderedDict()

    def note(self, names: Iterable[str], filled: Decimal, at: datetime) -> None:
        """The order that goes by these names is said to be filled so far; less than before is old news. `at`: when it
        was heard, on the clock of `judged_from`."""
        for name in names:
            if not name:
                continue
            before, _at = self._told.pop(name, (ZERO, at))
            self._told[name] = max(before, filled), at
        while len(self._told) > self._most:
            _name, (_filled, forgotten_at) = self._told.popitem(last=False)
            self.judged_from = max(self.judged_from, forgotten_at)

    def told(self, names: Iterable[str]) -> Decimal:
        """The most that was said of an order by any of its names; 0 if nothing was."""
        return max((self._told[name][0] for name in names if name in self._told), default=ZERO)
