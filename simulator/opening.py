"""The venues a simulator can play, each opened when it is first asked for.

A venue that nobody talks to has no users, no ledger, no ticks and no rows in the control interface's lists, so that a
client of one venue never meets the books of another. Names are told from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from simulator.wire import VenueWire


class VenueHall:
    """Wires by the prefix of their paths, in the order in which they were opened."""

    def __init__(self, makers: Mapping[str, Callable[[], VenueWire]]) -> None:
        self._makers = makers
        self._open: dict[str, VenueWire] = {}

    @property
    def names(self) -> list[str]:
        return list(self._makers)

    def has(self, name: str) -> bool:
        return name in self._makers

    def find(self, name: str) -> VenueWire | None:
        """The venue's wire, opened now if it was not yet; None if nobody plays a venue of that name."""
        if name not in self._open:
            if name not in self._makers:
                return None
            self._open[name] = self._makers[name]()
        return self._open[name]

    def opened(self) -> Iterator[tuple[str, VenueWire]]:
        return iter(list(self._open.items()))
