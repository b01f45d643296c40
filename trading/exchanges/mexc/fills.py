"""Paging through fills by halving the time window, because MEXC has no cursor and its page limit is not certain.

A page of exactly 100 or 1,000 rows may have been cut, so its window is asked again in halves; anything else is
complete. The halves overlap, because nothing says whether the venue includes the ends of a window. No order of rows
within a page is assumed. Pure but for `fetch_page`.
"""

from __future__ import annotations

from collections.abc import Callable

from trading.domain.errors import VenueError
from trading.domain.outcomes import FillReport

from .constants import FILL_PAGE_CUTS, FILL_PAGE_LIMIT

_SMALLEST_WINDOW_MS = 3  # halves of it, with their overlap, would not be smaller

FetchPage = Callable[[int, int], list[FillReport]]


def is_cut(page: list[FillReport]) -> bool:
    return len(page) in FILL_PAGE_CUTS or len(page) > FILL_PAGE_LIMIT


def collect_fills(fetch_page: FetchPage, start_ms: int, end_ms: int) -> list[FillReport]:
    """Every fill from `start_ms` to `end_ms` once, oldest first; VenueError if that cannot be had."""
    found: dict[str, FillReport] = {}
    windows = [(start_ms, end_ms)]
    while windows:
        first, last = windows.pop()
        page = fetch_page(first, last)
        if is_cut(page):
            if last - first <= _SMALLEST_WINDOW_MS:
                raise VenueError(
                    f"More fills around the millisecond {first} than one page holds: the list cannot be completed.",
                    remedy="Book the fills of this order from the venue's export.",
                    code="fills_cut",
                )
            middle = (first + last) // 2
            windows += [(middle, last), (first, middle + 1)]
        else:
            found.update((fill.venue_fill_id, fill) for fill in page)
    return sorted(found.values(), key=lambda fill: (fill.filled_at, fill.venue_fill_id))
