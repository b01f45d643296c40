"""Paging finds every fill once, whatever the venue's page limit and the ends of its windows are."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.domain.enums import Side
from trading.domain.errors import VenueError
from trading.domain.outcomes import FillReport
from trading.exchanges.fill_windows import collect_fills

START = 1_700_000_000_000
CUTS = frozenset({100, 1000})


def _fill(number: int, at_ms: int) -> FillReport:
    at = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    one = Decimal(1)
    return FillReport(f"{number:06d}", "o", "", "X", Side.BUY, one, one, Decimal(0), "", False, at)


class PagingVenue:
    """Newest first, cut at `limit`; `open_start` / `open_end` leave the window's own ends out."""

    def __init__(
        self, times: list[int], limit: int, *, open_start: bool = False, open_end: bool = False
    ) -> None:
        self.rows = [(at, _fill(number, at)) for number, at in enumerate(times)]
        self.limit, self.open_start, self.open_end = limit, open_start, open_end
        self.asked = 0

    def page(self, first: int, last: int) -> list[FillReport]:
        self.asked += 1
        low, high = first + self.open_start, last - self.open_end
        found = sorted((row for row in self.rows if low <= row[0] <= high), key=lambda row: -row[0])
        return [fill for _, fill in found[: self.limit]]


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 5000), max_size=400),
    st.sampled_from([100, 1000]),
    st.booleans(),
    st.booleans(),
)
def test_every_fill_is_found_once(times: list[int], limit: int, open_start: bool, open_end: bool) -> None:
    spread = [START + at * 997 + number for number, at in enumerate(times)]
    venue = PagingVenue(spread, limit, open_start=open_start, open_end=open_end)
    found = collect_fills(venue.page, [(START - 1, START + 10_000_000)], CUTS)
    assert [fill.venue_fill_id for fill in found] == [
        fill.venue_fill_id for _, fill in sorted(venue.rows, key=lambda row: (row[0], row[1].venue_fill_id))
    ]


def test_few_fills_take_one_request() -> None:
    venue = PagingVenue([START + 1, START + 2], 100)
    assert len(collect_fills(venue.page, [(START, START + 30 * 86_400_000)], CUTS)) == 2
    assert venue.asked == 1


def test_a_page_that_cannot_be_completed_is_an_error_not_a_shorter_list() -> None:
    venue = PagingVenue([START + 5] * 150, 100)
    with pytest.raises(VenueError, match="cannot be completed"):
        collect_fills(venue.page, [(START, START + 1000)], CUTS)
