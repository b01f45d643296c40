"""Paging through fills by halving windows of time, for venues without a cursor.

A page with as many rows as the venue may give at the most may have been cut, so its window is asked again in halves;
anything else is complete. The halves overlap, because nothing says whether the venue includes the ends of a window. No
order of rows within a page is assumed. Pure but for `fetch_page`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trading.domain.errors import VenueError
from trading.domain.outcomes import FillReport

_SMALLEST_WINDOW_MS = 3  # halves of it, with their overlap, would not be smaller

FetchPage = Callable[[int, int], list[FillReport]]


def collect_fills(
    fetch_page: FetchPage, windows: Iterable[tuple[int, int]], cuts: frozenset[int]
) -> list[FillReport]:
    """Every fill of the windows (first and last millisecond) once, oldest first; VenueError if that cannot be had.

    `cuts` are the numbers of rows at which a page may have been cut.
    """
    found: dict[str, FillReport] = {}
    left = list(windows)
    while left:
        first, last = left.pop()
        page = fetch_page(first, last)
        if len(page) in cuts or len(page) > max(cuts):
            if last - first <= _SMALLEST_WINDOW_MS:
                raise VenueError(
                    f"More fills around the millisecond {first} than one page holds: the list cannot be completed.",
                    remedy="Book the fills of this order from the venue's export.",
                    code="fills_cut",
                )
            middle = (first + last) // 2
            left += [(middle, last), (first, middle + 1)]
        else:
            found.update((fill.venue_fill_id, fill) for fill in page)
    return sorted(found.values(), key=lambda fill: (fill.filled_at, fill.venue_fill_id))
